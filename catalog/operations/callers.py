"""Who asks, and what they say about the commit that they are about to make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.errors import InvalidInput
from catalog.store.idempotency import Answer

# What the server itself says of a commit, which is evidence only if nobody else can say it.
SERVERS_OWN = ("mainstem.merge.", "mainstem.cherry-pick.", "mainstem.revert.")


@dataclass(slots=True)
class Once:
    """A request with an idempotency key, while it is carried out.

    `request` is a digest of what it asks, `at` when it came; what is older than `since` has
    expired. `answer` makes its answer from what the operation
    returns, with no effect of its own, for it runs inside the transaction. `recorded` says that
    the answer has been stored there.
    """

    key: str
    request: bytes
    at: datetime
    since: datetime
    answer: Callable[[Any], Answer] | None = None
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """The committer, and the author, message and metadata that the client claims for a commit.

    `once` is set if the request has an idempotency key.
    """

    name: str = "anonymous"
    author: str | None = None
    message: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    once: Once | None = None


def check_claim(name: str) -> None:
    """Check that a client may say this of its commit, by the name in its metadata.

    Raises:
        InvalidInput: if only the server may, or there is no name.
    """
    if not name or name.startswith(SERVERS_OWN):
        raise InvalidInput(f"The metadata of a commit may not hold {name!r} of a client's")
