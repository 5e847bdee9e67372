"""The header grpc-timeout: how long the caller waits, at most eight digits and a unit."""

from server.transport.asgi.refusals import malformed_header

_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_MOST_DIGITS = 8


def parse_timeout(header: bytes) -> float:
    """Read a timeout in seconds; raises RefusedError if it is malformed."""
    digits, unit = header[:-1], header[-1:]
    if unit in _SECONDS and digits.isdigit() and len(digits) <= _MOST_DIGITS:
        return int(digits) * _SECONDS[unit]
    raise malformed_header("grpc-timeout")
