"""Ids of stored objects: the SHA-256 of their encoding."""

import hashlib
import re
from typing import NewType

from catalog.errors import InvalidInput

ObjectId = NewType("ObjectId", bytes)

ID_BYTES = 32

_HEX = re.compile(r"[0-9a-f]{64}")


def object_id(data: bytes) -> ObjectId:
    """Return the id of an object's encoding: 32 bytes."""
    return ObjectId(hashlib.sha256(data).digest())


def to_hex(identifier: ObjectId) -> str:
    """Return the 64 lower-case hex digits that people see."""
    return identifier.hex()


def from_hex(text: str) -> ObjectId:
    """Read 64 hex digits of either case.

    Raises:
        InvalidInput: if `text` is anything else.
    """
    if _HEX.fullmatch(text.lower()) is None:
        raise InvalidInput(f"Not a commit id of 64 hex digits: {text!r}", value=text)
    return ObjectId(bytes.fromhex(text))
