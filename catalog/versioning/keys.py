"""Keys of the tree, and their order-preserving bytes."""

from catalog.errors import Corruption, InvalidInput

# The levels of a namespace and, last, the name of what it holds.
Key = tuple[str, ...]

_SEPARATOR = b"\0"


def encode_key(key: Key) -> bytes:
    """Return the levels in UTF-8 joined by NUL, so that bytes sort as tuples of levels do.

    Raises:
        InvalidInput: if the key or one of its levels is empty, or holds a NUL or a lone surrogate.
    """
    if not key or any(not level or "\0" in level for level in key):
        raise InvalidInput(f"Invalid key {key!r}: no level may be empty or hold a NUL")
    try:
        return _SEPARATOR.join([level.encode() for level in key])
    except UnicodeEncodeError as error:
        raise InvalidInput(f"Invalid key {key!r}: not valid Unicode") from error


def decode_key(data: bytes) -> Key:
    """Return the key that these bytes stand for."""
    try:
        return tuple(data.decode().split("\0"))
    except UnicodeDecodeError as error:
        raise Corruption(f"A stored key is not UTF-8: {data!r}") from error


def inside(namespace: Key) -> tuple[bytes, bytes]:
    """Return the half-open range of bytes of all keys inside a namespace, at any depth."""
    start = encode_key(namespace)
    return start + b"\0", start + b"\1"
