"""Reads a JSON Web Token (RFC 7519) and verifies its signature and its times."""

from typing import Any, NamedTuple

import jwt

from server.auth.errors import TokenRefusedError
from server.auth.jwks import VerificationKey

CLOCK_SKEW_SECONDS = 30

_UNVERIFIED: jwt.types.Options = {"verify_signature": False}
# The audience has rules of its own; `sub` and `jti` are read by nobody and may be numbers.
_CLAIMS: jwt.types.Options = {
    "require": ["exp", "iss"],
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}


class UnverifiedToken(NamedTuple):
    """A token as its bearer sends it: its content only selects the key that it is verified with."""

    text: str
    header: dict[str, Any]
    algorithm: str
    kid: str | None
    issuer: str


def read_unverified(text: str, algorithms: frozenset[str]) -> UnverifiedToken:
    """Read a token that is signed by one of the algorithms; raises TokenRefusedError.

    A key that the header brings along or leads to (`jwk`, `jku`, `x5c`, `x5u`) is ignored.
    """
    try:
        decoded = jwt.decode_complete(text, options=_UNVERIFIED)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefusedError("malformed") from error
    header, issuer = decoded["header"], decoded["payload"].get("iss")
    if "crit" in header:
        raise TokenRefusedError("header crit")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRefusedError("algorithm")
    if issuer is None:
        raise TokenRefusedError("MissingRequiredClaim")
    if not isinstance(issuer, str):
        raise TokenRefusedError("InvalidIssuer")
    return UnverifiedToken(text, header, algorithm, header.get("kid"), issuer)


def verify_signature(token: UnverifiedToken, key: VerificationKey) -> dict[str, Any]:
    """Return the claims of a token that a key has signed and whose time it is.

    Raises TokenRefusedError, with the check as PyJWT names it: ExpiredSignature, InvalidSignature.
    """
    try:
        return jwt.decode(
            token.text,
            key.public_key,
            # One of the key's own: it was found by this algorithm.
            algorithms=[token.algorithm],
            issuer=token.issuer,
            leeway=CLOCK_SKEW_SECONDS,
            options=_CLAIMS,
        )
    except jwt.PyJWTError as error:
        raise TokenRefusedError(type(error).__name__.removesuffix("Error")) from error


def is_signed(token: UnverifiedToken, key: VerificationKey) -> bool:
    """Return whether a key has signed a token whose time it is."""
    try:
        verify_signature(token, key)
    except TokenRefusedError:
        return False
    return True
