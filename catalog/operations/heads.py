"""The head that a caller expects a branch to have."""

import re

from catalog.errors import InvalidInput, StaleHead
from catalog.versioning.ids import ObjectId, to_hex

_ID_OR_PREFIX = re.compile(r"[0-9a-fA-F]{8,64}")


def check_head(branch: str, head: ObjectId, expected: str | None) -> None:
    """Check that a branch is where the caller saw it last; None expects nothing.

    Raises:
        StaleHead: if it is elsewhere.
        InvalidInput: if `expected` is no commit id and no beginning of one.
    """
    if expected is None:
        return
    if _ID_OR_PREFIX.fullmatch(expected) is None:
        raise InvalidInput(
            f"The expected head must be a commit id, or its first 8 or more digits, not"
            f" {expected!r}",
            expected=expected,
        )
    if not to_hex(head).startswith(expected.lower()):
        raise StaleHead(
            f"Branch {branch!r} is at {to_hex(head)}, not at {expected}; look at what is new there"
            " and decide again",
            branch=branch,
            head=to_hex(head),
            expected=expected,
        )
