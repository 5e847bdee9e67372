"""Takes the token out of the Authorization headers of a request (RFC 6750, section 2.1)."""

import re
from collections.abc import Sequence

from server.auth.errors import TokenRefusedError, TokenRequiredError

LARGEST_TOKEN = 16 * 1024
"""Characters of a token that are looked at; one with every group of a large company takes 10 KiB."""

_BEARER = re.compile(r"(?i:bearer) +([\w.-]+)", re.ASCII)


def bearer_token(headers: Sequence[str | bytes]) -> str:
    """Read the token of the one header; raises TokenRequiredError and TokenRefusedError."""
    if not headers:
        raise TokenRequiredError
    if len(headers) > 1:
        raise TokenRefusedError("several Authorization headers")
    (header,) = headers
    if not isinstance(header, str) or header[:6].lower() != "bearer":
        raise TokenRequiredError
    if len(header) > LARGEST_TOKEN:
        raise TokenRefusedError("oversize")
    match = _BEARER.fullmatch(header)
    if match is None:
        raise TokenRefusedError("malformed")
    return match[1]
