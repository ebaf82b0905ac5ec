"""Who asks, and what they say about the commit that they are about to make."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """The committer, and the author, message and metadata that the client claims for a commit."""

    name: str = "anonymous"
    author: str | None = None
    message: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
