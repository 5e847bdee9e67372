"""A call's headers: grpc-timeout, the status message, and metadata with binary values as base64."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from urllib.parse import quote

from server.transport.asgi.rejections import malformed_header
from server.transport.asgi.types import Headers

_BINARY = b"-bin"
# From space to tilde, but for the percent sign.
_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_UNIT_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_MAX_DIGITS = 8


def decode(name: bytes, value: bytes) -> list[str | bytes]:
    """Read the values of one header; raises RejectedError if it should be base64 and is not."""
    if name.endswith(_BINARY):
        # Proxies may join headers of one name by commas, which base64 does not have.
        return [_decode_base64(name, one) for one in value.split(b",")]
    return [_decode_text(value)]


def check_binary(names: Iterable[bytes], headers: Headers) -> None:
    """Raise RejectedError if a header that should be base64 is not; `names` are the headers' names."""
    if any(name.endswith(_BINARY) for name in names):
        for name, value in headers:
            decode(name, value)


def encode(metadata: Iterable[tuple[str, str | bytes]]) -> Headers:
    """Write metadata as headers; bytes belong to names that end in -bin."""
    return [(name.encode(), _encode_value(value)) for name, value in metadata]


def encode_message(message: str) -> bytes:
    """Encode a status message for the header grpc-message."""
    return quote(message, safe=_PLAIN, errors="replace").encode()


def parse_timeout(header: bytes) -> float:
    """Read a timeout in seconds, at most eight digits and a unit; raises RejectedError."""
    digits, unit = header[:-1], header[-1:]
    if unit in _UNIT_SECONDS and digits.isdigit() and len(digits) <= _MAX_DIGITS:
        return int(digits) * _UNIT_SECONDS[unit]
    raise malformed_header("grpc-timeout")


def _encode_value(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return b64encode(value).rstrip(b"=")
    return value.encode()


def _decode_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _decode_base64(name: bytes, value: bytes) -> bytes:
    # With padding and without, both are right.
    bare = value.strip().rstrip(b"=")
    try:
        return b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        why = ": illegal base64 encoding"
        raise malformed_header(_decode_text(name), why) from None
