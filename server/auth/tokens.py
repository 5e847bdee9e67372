"""Verifies access tokens: JSON Web Tokens (RFC 7519), as RFC 8725 advises."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from sys import getsizeof
from typing import Any, NamedTuple

import jwt

from server.auth.errors import TokenRefusedError
from server.auth.keys import Keys

ALGORITHMS = ("RS256", "ES256", "EdDSA")
CLOCK_SKEW_SECONDS = 30
REMEMBERED = 10_000
"""Tokens that are remembered at most, some 250 bytes each."""
MAX_SCOPES_BYTES = 4096
"""What the scopes of a token take at most that is remembered, some 40 of them: 40 MiB of all."""

# Headers that bring a key along or lead to one, or that must not be overlooked.
_FORBIDDEN_HEADERS = ("jku", "jwk", "x5u", "x5c", "crit")
_CLAIMS: jwt.types.Options = {"require": ["exp", "iss", "aud"]}
_TIMES = ("exp", "nbf", "iat")


class Grant(NamedTuple):
    """What a verified token lets its bearer do, and until when (seconds since 1970)."""

    scopes: frozenset[str]
    expires: float


class Tokens:
    """Verifies tokens of one issuer for one audience.

    A verified token is remembered until it expires or a key comes or goes, unless it has very many
    scopes: the second time it costs a digest and a look-up.
    """

    def __init__(self, keys: Keys, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._verified_with = keys.current
        self._remembered: OrderedDict[bytes, Grant] = OrderedDict()

    async def verify(self, token: str) -> Grant:
        """Tell what a token grants; raises TokenRefusedError and KeysUnavailableError."""
        if grant := self.remembered(token):
            return grant
        grant = self._grant(token, await self._key_of(token))
        if _size(grant.scopes) <= MAX_SCOPES_BYTES:
            self._remember(_digest(token), grant)
        return grant

    def remembered(self, token: str) -> Grant | None:
        """Tell what a token grants that was verified before, or None."""
        if self._verified_with is not self._keys.current:
            self._verified_with = self._keys.current
            self._remembered.clear()
        digest = _digest(token)
        grant = self._remembered.get(digest)
        if grant is None or grant.expires <= time.time():
            return None
        self._remembered.move_to_end(digest)
        return grant

    def _remember(self, digest: bytes, grant: Grant) -> None:
        self._remembered[digest] = grant
        self._remembered.move_to_end(digest)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    async def _key_of(self, token: str) -> jwt.PyJWK:
        header = _header(token)
        for name in _FORBIDDEN_HEADERS:
            if name in header:
                raise TokenRefusedError(f"header {name}")
        if header.get("alg") not in ALGORITHMS:
            raise TokenRefusedError("algorithm")
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise TokenRefusedError("no kid")
        key = await self._keys.find(key_id)
        if key is None:
            raise TokenRefusedError("kid is not known")
        return key

    def _grant(self, token: str, key: jwt.PyJWK) -> Grant:
        try:
            claims = jwt.decode(
                token,
                key,
                # The key's own, whatever the token says.
                algorithms=[key.algorithm_name],
                issuer=self._issuer,
                audience=self._audience,
                leeway=CLOCK_SKEW_SECONDS,
                options=_CLAIMS,
            )
        except jwt.PyJWTError as error:
            raise TokenRefusedError(_check_of(error)) from error
        return Grant(scopes_of(claims), _expiry(claims))


def _digest(token: str) -> bytes:
    """Name a token in what is remembered, so that it is small and opens no door."""
    return hashlib.sha256(token.encode()).digest()


def _size(scopes: frozenset[str]) -> int:
    """Add up what scopes take in memory, in bytes."""
    return getsizeof(scopes) + sum(map(getsizeof, scopes))


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Read `scope` (RFC 9068: separated by spaces) and `scp`, which may be a list too."""
    scopes: set[str] = set()
    for name in ("scope", "scp"):
        said = claims.get(name, "")
        listed = said.split() if isinstance(said, str) else said
        if isinstance(listed, list):
            scopes.update(scope for scope in listed if isinstance(scope, str))
    return frozenset(scopes)


def _expiry(claims: Mapping[str, Any]) -> float:
    """Read `exp`; raises TokenRefusedError where a time is text, which PyJWT would read."""
    if not all(isinstance(claims[name], int | float) for name in _TIMES if name in claims):
        raise TokenRefusedError("times")
    try:
        return float(claims["exp"])
    except OverflowError as error:
        raise TokenRefusedError("times") from error


def _header(token: str) -> dict[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenRefusedError("malformed") from error


def _check_of(error: jwt.PyJWTError) -> str:
    """Name the check as PyJWT does: ExpiredSignature, or InvalidAudience."""
    return type(error).__name__.removesuffix("Error")
