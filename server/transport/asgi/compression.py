"""Message encodings: gzip, and deflate, which by HTTP's definition is zlib's format."""

import zlib

from machine.request_size import MAX_REQUEST_BYTES
from server.transport.asgi.rejections import malformed_message, too_large_decompressed, unknown_encoding

# zlib's wbits: the largest window, and 16 more for gzip's header.
_FORMATS = {b"deflate": 15, b"gzip": 31}


def check_encoding(encoding: bytes) -> None:
    """Raise RejectedError if a grpc-encoding is not supported."""
    if encoding != b"identity" and encoding not in _FORMATS:
        raise unknown_encoding()


def decompress(data: bytes, encoding: bytes) -> bytes:
    """Decompress a message, up to the size limit; raises RejectedError."""
    if encoding == b"identity":
        raise malformed_message("Compression bit set but no encoding configured")
    stream = zlib.decompressobj(_FORMATS[encoding])
    try:
        message = stream.decompress(data, MAX_REQUEST_BYTES + 1)
    except zlib.error:
        raise malformed_message("Decompression failed due to zlib error") from None
    if len(message) > MAX_REQUEST_BYTES:
        raise too_large_decompressed()
    if not stream.eof or stream.unused_data:
        raise malformed_message("Decompression failed due to zlib error")
    return message


def compress(message: bytes, encoding: bytes) -> bytes:
    """Compress a message by an encoding that is not identity."""
    return zlib.compress(message, 1, _FORMATS[encoding])
