"""Reads the token from the Authorization headers of a request (RFC 6750, section 2.1)."""

import json
import re
from collections.abc import Sequence

from jwt.utils import base64url_decode

from server.auth.errors import TokenRefusedError, TokenRequiredError

LARGEST_TOKEN = 16 * 1024
"""Characters of a token that are read at most; one with all groups of a large company takes 10 KiB."""

# RFC 6750's b64token, which is what JSON Web Tokens and opaque tokens are made of.
_TOKEN = re.compile(r"[\w.~+/-]+=*", re.ASCII)
_BEARER = re.compile(rf"(?i:bearer) +({_TOKEN.pattern})", re.ASCII)
_JWT = re.compile(r"[\w-]*\.[\w-]*\.[\w-]*", re.ASCII)


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


def is_bearer_token(text: str) -> bool:
    """Return whether a text can be a bearer token at all (RFC 6750's b64token)."""
    return _TOKEN.fullmatch(text) is not None


def resembles_jwt(token: str) -> bool:
    """Return whether a token is a JSON Web Token, or begins like one and is malformed.

    Lenient issuers read `=`, `~` or a dot behind a signature as if they were not there.
    """
    return is_jwt(token) or _has_signed_header(token)


def _has_signed_header(token: str) -> bool:
    """Return whether a token begins with a header as of RFC 7515; an encrypted one has `enc` too."""
    try:
        header = json.loads(base64url_decode(token.partition(".")[0]))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header and "enc" not in header


def is_jwt(token: str) -> bool:
    """Return whether a token has the form of a signed JSON Web Token: three parts in base64url."""
    return _JWT.fullmatch(token) is not None
