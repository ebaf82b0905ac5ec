"""How the blocks of Avro files are compressed."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import zstandard


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to compress; `decompress` takes the size that its result must not exceed."""

    compress: Callable[[bytes], bytes]
    decompress: Callable[[bytes, int], bytes]


def find_codec(name: str) -> Codec:
    """Return a codec by its Avro name.

    Raises:
        ValueError: naming it, if it is unknown here.
    """
    if name not in _CODECS:
        raise ValueError(f"codec {name} is not supported, only {', '.join(sorted(_CODECS))}")
    return _CODECS[name]


def _deflate(data: bytes) -> bytes:
    # The default level takes nearly twice the time for the last thousandth.
    compressor = zlib.compressobj(5, wbits=-15)
    return compressor.compress(data) + compressor.flush()


def _inflate(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(wbits=-15)
    # Zero would mean no limit.
    found = stream.decompress(data, limit + 1)
    # What follows the end is left alone: pyiceberg writes three bytes of a checksum there.
    if not stream.eof and len(found) <= limit:
        raise ValueError("a block ends too early")
    return _checked(found, limit)


def _unpack_zstandard(data: bytes, limit: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(data) as stream:
        return _checked(stream.read(limit + 1), limit)


def _checked(found: bytes, limit: int) -> bytes:
    if len(found) > limit:
        raise ValueError("a block is too large")
    return found


_CODECS = {
    "null": Codec(bytes, _checked),
    "deflate": Codec(_deflate, _inflate),
    "zstandard": Codec(lambda data: zstandard.ZstdCompressor().compress(data), _unpack_zstandard),
}
