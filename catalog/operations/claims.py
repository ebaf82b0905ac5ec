"""What the snapshots of a commit say of it: they speak for one write, headers for a session.

Their summaries may hold `mainstem.author`, `mainstem.message` and `mainstem.metadata.<name>`. Spark
puts what its write option `snapshot-property.<key>` says there, pyiceberg its snapshot properties.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from catalog.errors import InvalidInput
from catalog.operations.callers import Caller, check_claim

_AUTHOR = "mainstem.author"
_MESSAGE = "mainstem.message"
_METADATA = "mainstem.metadata."


def with_claims(caller: Caller, updates: Iterable[Mapping[str, Any]]) -> Caller:
    """Return the caller, with what the snapshots say that parsed updates add.

    Where several snapshots say different things, all are kept, in their order.

    Raises:
        InvalidInput: if one says what only the server can.
    """
    said: dict[str, dict[str, None]] = {}
    for update in updates:
        if update["action"] == "add-snapshot":
            for name, value in update["snapshot"].get("summary", {}).items():
                if name in (_AUTHOR, _MESSAGE) or name.startswith(_METADATA):
                    said.setdefault(name, {})[_checked(name, value)] = None
    if not said:
        return caller
    metadata = {
        name.removeprefix(_METADATA): ", ".join(values)
        for name, values in said.items()
        if name.startswith(_METADATA)
    }
    for name in metadata:
        check_claim(name)
    return replace(
        caller,
        author=", ".join(said[_AUTHOR]) if _AUTHOR in said else caller.author,
        message="\n".join(said[_MESSAGE]) if _MESSAGE in said else caller.message,
        metadata={**caller.metadata, **metadata},
    )


def _checked(name: str, value: str) -> str:
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        raise InvalidInput(f"{name} in a snapshot's summary holds a control character")
    return value
