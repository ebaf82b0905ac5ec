"""Avro object container files: a header, and blocks of records."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.errors import CatalogError, ValidationFailed
from catalog.iceberg.avro.codecs import find_codec
from catalog.iceberg.avro.decoding import decoder, read_long
from catalog.iceberg.avro.encoding import encode_bytes, encode_long
from catalog.iceberg.avro.schemas import Primitive, StringMap

_MAGIC = b"Obj\x01"
_SYNC = 16
SCHEMA, CODEC = "avro.schema", "avro.codec"
# A small file that unpacks to a huge one would keep the server busy for long. Real manifests, whose
# paths and statistics differ, shrink to a twentieth or so.
_UNPACKED = 1 << 26
_MAX_RATIO = 200
# As Java's writers do: a block is written when it has grown to this.
_BLOCK = 64_000
_read_header = decoder(StringMap(Primitive("bytes", None)))


@dataclass(frozen=True, slots=True)
class AvroFile:
    """A file in memory, of which only the header was read; `header` has all of its keys."""

    header: Mapping[str, bytes]
    sync: bytes
    data: bytes
    start: int

    @property
    def schema(self) -> Any:
        """The schema of its records, as JSON."""
        return orjson.loads(self.header[SCHEMA])

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number of records of each block, and their bytes."""
        decompress = find_codec(self.header.get(CODEC, b"null").decode()).decompress
        position, left = self.start, max(_UNPACKED, _MAX_RATIO * len(self.data))
        while position < len(self.data):
            count, position = read_long(self.data, position)
            size, position = read_long(self.data, position)
            end = position + size
            if size < 0 or self.data[end : end + _SYNC] != self.sync:
                raise ValueError("a block does not end with the file's marker")
            block = decompress(self.data[position:end], left)
            if not 0 <= count <= len(block):
                raise ValueError("a block has more records than bytes")
            yield count, block
            left -= len(block)
            position = end + _SYNC


def open_file(data: bytes) -> AvroFile:
    """Read the header of a file.

    Raises:
        ValueError, IndexError: if it has none.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("it is no Avro file")
    header, position = _read_header(data, len(_MAGIC))
    sync = data[position : position + _SYNC]
    if len(sync) < _SYNC:
        raise ValueError("the header ends too early")
    return AvroFile(header, sync, data, position + _SYNC)


class AvroWriter:
    """Gathers encoded records into blocks; only what is not yet compressed is held as it was."""

    def __init__(self, header: Mapping[str, bytes]) -> None:
        self._compress = find_codec(header.get(CODEC, b"null").decode()).compress
        entries = [
            encode_bytes(key.encode()) + encode_bytes(value) for key, value in header.items()
        ]
        start = _MAGIC + encode_long(len(entries)) + b"".join(entries) + b"\x00"
        # Any 16 bytes will do; these are the same for the same header, so equal files are equal.
        self._sync = hashlib.blake2b(start, digest_size=_SYNC).digest()
        self._parts = [start, self._sync]
        self._records: list[bytes] = []
        self._size = 0

    def append(self, record: bytes) -> None:
        """Add one record."""
        self._records.append(record)
        self._size += len(record)
        if self._size >= _BLOCK:
            self._flush()

    def finish(self) -> bytes:
        """Return the file."""
        if self._records:
            self._flush()
        return b"".join(self._parts)

    def _flush(self) -> None:
        block = self._compress(b"".join(self._records))
        self._parts += (encode_long(len(self._records)), encode_bytes(block), self._sync)
        self._records = []
        self._size = 0


@contextmanager
def understanding(location: str) -> Iterator[None]:
    """Turn whatever a damaged file makes its reader raise into one error."""
    try:
        yield
    except CatalogError:
        raise
    except Exception as error:
        raise ValidationFailed(
            f"Cannot understand {location}: {type(error).__name__}: {error}", location=location
        ) from error
