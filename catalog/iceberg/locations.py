"""Locations in object storage: one spelling per place, containment, new ones.

Pure text: symbolic links are resolved where files are opened. Percent-encoding is left alone, for
an object store knows `a%20b` and `a b` as two keys.
"""

import re

from catalog.errors import InvalidInput

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SAFE_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_ALIASES = {"s3a": "s3", "s3n": "s3"}

# An S3 key holds 1024 bytes and a directory name 255; what engines append needs its share.
_MAX_SEGMENT_BYTES = 64
_MAX_LEVELS = 8


def normalise(location: str) -> str:
    """Return the one spelling of a location: absolute, without `.`, `..`, `//` or a final slash.

    `/x`, `file:/x` and `file:///x` become `file:///x`; `s3a` and `s3n` become `s3`. The scheme is
    lower case. So is a host behind `@` (Azure's `container@account.host`); names of buckets keep
    their case, for old ones have some.

    Raises:
        InvalidInput: if it is empty, relative, climbs above its root, has a query, a fragment or
            control characters.
    """
    if _CONTROL.search(location):
        raise InvalidInput(f"Location has control characters: {location[:200]!a}")
    if "?" in location or "#" in location:
        raise InvalidInput(f"Location has a query or a fragment: {location}")
    root, path = _split(location)
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if not segments:
                raise InvalidInput(f"Location climbs above its root: {location}")
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    if not segments and root == "file://":
        return "file:///"
    return "/".join((root, *segments))


def contains(parent: str, child: str) -> bool:
    """Tell whether `child` lies in `parent` or is it, by whole path segments.

    Both are normalised first.

    Raises:
        InvalidInput: if one of them is no location.
    """
    outer, inner = normalise(parent), normalise(child)
    return inner == outer or inner.startswith(f"{outer.removesuffix('/')}/")


def new_location(warehouse_location: str, key: tuple[str, ...], short_uuid: str) -> str:
    """Return a location for a new table or view: namespaces, then its name and the short uuid.

    Names are for people to find their way, cut where they are long; the uuid makes it unique.
    """
    *namespace, name = key
    levels = [_safe_segment(level) for level in namespace[:_MAX_LEVELS]]
    root = strip_trailing_slashes(warehouse_location)
    return "/".join((root, *levels, f"{_safe_segment(name)}-{short_uuid}"))


def strip_trailing_slashes(location: str) -> str:
    """Return the location without final slashes, except those of a bare `scheme://`."""
    while location.endswith("/") and not location.endswith("://"):
        location = location[:-1]
    return location


def _split(location: str) -> tuple[str, str]:
    """Return what stands before the path (`s3://bucket`, `file://`), and the path."""
    if location.startswith("/"):
        return "file://", location
    match = _SCHEME.fullmatch(location)
    if match is None:
        raise InvalidInput(f"Not an absolute location: {location!r}")
    scheme = match[1].lower()
    scheme, rest = _ALIASES.get(scheme, scheme), match[2]
    if scheme == "file":
        return "file://", _local_path(rest, location)
    authority, _, path = rest.removeprefix("//").partition("/")
    if not rest.startswith("//") or not authority or authority in (".", ".."):
        raise InvalidInput(f"Not an absolute location: {location!r}")
    container, at, host = authority.rpartition("@")
    return f"{scheme}://{container}{at}{host.lower() if at else host}", path


def _local_path(rest: str, location: str) -> str:
    if not rest.startswith("//"):
        path = rest
    else:
        host, slash, below = rest[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise InvalidInput(f"Location of a file names a host: {location}")
        path = slash + below
    if not path.startswith("/"):
        raise InvalidInput(f"Not an absolute location: {location!r}")
    return path


def _safe_segment(name: str) -> str:
    if name in (".", ".."):
        return name.replace(".", "%2E")
    safe = ""
    for byte in name.encode():
        piece = chr(byte) if byte in _SAFE_BYTES else f"%{byte:02X}"
        if len(safe) + len(piece) > _MAX_SEGMENT_BYTES:
            break
        safe += piece
    return safe
