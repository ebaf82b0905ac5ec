"""A relay before a server that notes when its clients wait: the same measure for every server.

It hands bytes on as they come and reads none of them. A client that has sent something waits until
the last byte that comes back before it sends more, as HTTP/1.1 without pipelining has it.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import uvloop

_CHUNK = 65536

# When a client sent the first byte of a request, and when the last one of the answer came.
Wait = tuple[float, float]


@dataclass(slots=True)
class Relay:
    """Where clients connect to instead, and how long each waited for each answer."""

    port: int = 0
    connections: list["_Connection"] = field(default_factory=list)

    @property
    def waits(self) -> list[Wait]:
        """Every wait so far, those of connections that are still open among them."""
        return [wait for each in self.connections for wait in each.waits()]


@contextmanager
def relay(port: int) -> Iterator[Relay]:
    """Relay to a port of this machine for as long as the context lasts."""
    found = Relay()
    ready, loop = threading.Event(), uvloop.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(_accept, "127.0.0.1", 0)
        found.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    async def _accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection()
        found.connections.append(connection)
        # Cancelled when the relay ends, while clients keep their connections.
        with suppress(ConnectionError, asyncio.CancelledError):
            upstream = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(
                _pump(reader, upstream[1], connection.ask),
                _pump(upstream[0], writer, connection.answer),
            )

    def serve() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=serve, name="relay", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def busy_seconds(waits: list[Wait]) -> float:
    """Return how long at least one client waited: what overlaps is counted once."""
    seconds, until = 0.0, float("-inf")
    for begun, ended in sorted(waits):
        seconds += max(0.0, ended - max(begun, until))
        until = max(until, ended)
    return seconds


@dataclass(slots=True)
class _Connection:
    """One connection's requests, one after the other."""

    _done: list[Wait] = field(default_factory=list)
    _asked: float | None = None
    _answered: float | None = None

    def ask(self) -> None:
        """Note that the client sent something: a request begins once the last one is answered."""
        now = time.perf_counter()
        if self._asked is None:
            self._asked = now
        elif self._answered is not None:
            self._done.append((self._asked, self._answered))
            self._asked, self._answered = now, None

    def answer(self) -> None:
        """Note that the server sent something."""
        self._answered = time.perf_counter()

    def waits(self) -> list[Wait]:
        """Return what was answered."""
        if self._asked is None or self._answered is None:
            return list(self._done)
        return [*self._done, (self._asked, self._answered)]


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, note: Callable[[], None]
) -> None:
    try:
        while data := await reader.read(_CHUNK):
            note()
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
