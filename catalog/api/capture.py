"""Responses that are kept back until it is known what becomes of them."""

from starlette.types import Message, Send

from catalog.operations.idempotency import Answer


class Captured:
    """A response, as the application gives it to a server."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def send(self, message: Message) -> None:
        """Take a part of the response."""
        self._messages.append(message)

    async def pass_on(self, send: Send) -> None:
        """Send the response to the client."""
        for message in self._messages:
            await send(message)

    @property
    def status(self) -> int:
        """The status, 0 if there is no response."""
        return self._messages[0]["status"] if self._messages else 0

    @property
    def may_be_stored(self) -> bool:
        """Not if the request may well be answered otherwise next time, or with a secret."""
        headers = dict(self._messages[0]["headers"])
        return b"retry-after" not in headers and headers.get(b"cache-control") != b"no-store"

    @property
    def body(self) -> bytes:
        """The body."""
        return b"".join(message.get("body", b"") for message in self._messages[1:])

    @property
    def stored(self) -> Answer:
        """What is stored of the response."""
        media_type = dict(self._messages[0]["headers"]).get(b"content-type")
        return Answer(self.status, media_type.decode() if media_type else None, self.body)
