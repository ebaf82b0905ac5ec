"""An S3 server whose faults a test chooses, request by request."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

Fault = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps files unless the server's next fault is of another mind."""

    protocol_version = "HTTP/1.1"
    server: "FaultyServer"

    def do_PUT(self) -> None:
        if not self._fails():
            data = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.server.kept.setdefault(self.path, data)
            self.answer(412 if known is not data else 200)

    def do_GET(self) -> None:
        if not self._fails():
            data = self.server.kept.get(self.path)
            first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
            if first and data is not None:
                rest = f"bytes {first}-{len(data) - 1}/{len(data)}"
                self.answer(206, data[first:], headers={"Content-Range": rest})
            else:
                self.answer(404 if data is None else 200, data or b"")

    def answer(
        self,
        status: int,
        body: bytes = b"",
        length: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 08:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""

    def _fails(self) -> bool:
        with self.server.lock:
            self.server.seen[self.command, self.path] += 1
            faults = self.server.faults
            fault = faults.pop(0) if faults and self.server.aim in self.path else None
        if fault is not None:
            fault(self)
        return fault is not None


class FaultyServer(ThreadingHTTPServer):
    """What is kept, which requests came, and the faults of the next ones."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept: dict[str, bytes] = {}
        self.seen: Counter[tuple[str, str]] = Counter()
        self.faults: list[Fault] = []
        self.aim = ""
        """What the paths have in them that faults happen to."""
        self.lock = threading.Lock()
        self.over = threading.Event()

    @property
    def storage(self) -> dict[str, str]:
        """FileIO properties, keys included."""
        return {
            "s3.endpoint": f"http://127.0.0.1:{self.server_address[1]}",
            "s3.path-style-access": "true",
            "s3.region": "us-east-1",
            "s3.access-key-id": "a",
            "s3.secret-access-key": "b",
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: connections break on purpose."""


def slow_down(handler: Handler) -> None:
    """Take the data, and say that there are too many requests."""
    handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    handler.answer(503, b"<Error><Code>SlowDown</Code></Error>")


def die(handler: Handler) -> None:
    """Read half of what comes, and break the connection."""
    handler.rfile.read(int(handler.headers.get("Content-Length", 0)) // 2)
    handler.connection.shutdown(socket.SHUT_RDWR)


def keep_and_die(handler: Handler) -> None:
    """Keep the file, and break the connection before that is answered."""
    handler.server.kept[handler.path] = handler.rfile.read(int(handler.headers["Content-Length"]))
    handler.connection.shutdown(socket.SHUT_RDWR)


def hang(handler: Handler) -> None:
    """Never answer."""
    handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    handler.server.over.wait()
    handler.close_connection = True


def send_half(handler: Handler) -> None:
    """Begin to answer with the file, and break the connection."""
    data = handler.server.kept[handler.path]
    handler.answer(200, data[: len(data) // 2], len(data))
    handler.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """Run the server for a while."""
    with FaultyServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
