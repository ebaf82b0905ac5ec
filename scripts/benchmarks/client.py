"""A load generator that costs little: raw requests over kept connections, parsed in C."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httptools
import orjson
import uvloop


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and how long it took from the first byte sent to the last received."""

    status: int
    seconds: float
    etag: bytes
    body: bytes

    def json(self) -> Any:
        """Return the body; what was refused is a fault of the measurement."""
        if self.status >= 400:
            raise RuntimeError(f"{self.status}: {self.body[:500].decode(errors='replace')}")
        return orjson.loads(self.body) if self.body else None


@dataclass(frozen=True, slots=True)
class Load:
    """What some clients together got, and how long it took them."""

    answers: list[Answer]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.answers) / self.seconds

    @property
    def millis(self) -> list[float]:
        """How long each answer took."""
        return [1000 * answer.seconds for answer in self.answers]

    def check(self, status: int | None = None) -> "Load":
        """Return the load if all have this status, or none failed: else it measures faults."""
        for answer in self.answers:
            if answer.status != status if status else answer.status >= 300:
                raise RuntimeError(f"{answer.status}: {answer.body[:500]!r}")
        return self


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and what every request to it begins with."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the bytes of a request."""
        data = b"" if body is None else orjson.dumps(body)
        lines = {"host": f"127.0.0.1:{self.port}", "accept": "*/*", **self.headers}
        if body is not None:
            lines |= {"content-type": "application/json", "content-length": str(len(data))}
        lines |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send one request; return the JSON of its answer."""
        return self.send([[self.request(method, path, body)]]).answers[0].json()

    def send(self, clients: Sequence[Iterable[bytes]]) -> Load:
        """Let every client send its requests one after the other, all clients at once."""
        return send([(self, requests) for requests in clients])


def send(clients: Sequence[tuple[Address, Iterable[bytes]]]) -> Load:
    """Let every client send its requests to its server one after the other, all at once."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(clients))


async def _send(clients: Sequence[tuple[Address, Iterable[bytes]]]) -> Load:
    connections = [await _connect(address.port, iter(requests)) for address, requests in clients]
    begun = time.perf_counter()
    for connection in connections:
        connection.next()
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - begun
    return Load([answer for each in connections for answer in each.answers], seconds)


async def _connect(port: int, requests: Iterator[bytes]) -> "_Connection":
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: _Connection(loop, requests), "127.0.0.1", port
    )
    return connection


class _Connection(asyncio.Protocol):
    """One client: sends the next request when the answer to the last is whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop, requests: Iterator[bytes]) -> None:
        self.answers: list[Answer] = []
        self.done: asyncio.Future[None] = loop.create_future()
        self._requests = requests
        self._parser = httptools.HttpResponseParser(self)
        self._begun = 0.0
        self._etag = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def next(self) -> None:
        """Send the next request, or be done."""
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._begun = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("The server closed the connection"))

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"etag":
            self._etag = value

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        seconds = time.perf_counter() - self._begun
        body, self._body = b"".join(self._body), []
        status = self._parser.get_status_code()
        self.answers.append(Answer(status, seconds, self._etag, body))
        # Once the parser has returned: it cannot begin a message inside the one before.
        asyncio.get_running_loop().call_soon(self.next)
