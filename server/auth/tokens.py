"""Verifies access tokens: JSON Web Tokens (RFC 7519), as RFC 8725 advises."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from sys import getsizeof
from typing import Any, NamedTuple

from server.auth.bearer import is_jwt
from server.auth.claims import (
    TokenRules,
    check_audience,
    expiry_of,
    read_client,
    read_scopes,
    shorten,
)
from server.auth.errors import TokenRefusedError
from server.auth.jwks import VerificationKey
from server.auth.key_cache import KeyCache
from server.auth.signed import UnverifiedToken, is_signed, read_unverified, verify_signature
from server.auth.token_type import check_type

MAX_CACHED = 10_000
"""Tokens that are cached at most, some 400 bytes each."""
MAX_SCOPES_BYTES = 4096
"""Bytes of the scopes of a token that is cached, some 40 of them: 40 MiB of all."""


class Grant(NamedTuple):
    """What a verified token lets its bearer do, and until when (seconds since 1970)."""

    scopes: frozenset[str]
    expires: float
    client: str | None = None
    """The client that it was issued to, as the log shows it."""


class _CachedGrant(NamedTuple):
    grant: Grant
    keys: KeyCache
    generation: int


class TokenVerifier:
    """Verifies tokens of issuers, each with the keys of its own issuer alone.

    A verified token is cached until it expires or a key of its issuer comes or goes, unless it has
    very many scopes: the second time it costs a digest and a look-up.
    """

    def __init__(self, keys: Mapping[str, KeyCache], rules: TokenRules) -> None:
        """Take the keys by the `iss` of tokens; issuers that publish one set share it."""
        self._keys = keys
        self._rules = rules
        self._cache: OrderedDict[bytes, _CachedGrant] = OrderedDict()

    async def verify(self, text: str) -> Grant:
        """Return what a token grants; raises TokenRefusedError and KeysUnavailableError."""
        if grant := self.find_cached(text):
            return grant
        if not is_jwt(text):
            raise TokenRefusedError("malformed")
        token = read_unverified(text, self._rules.algorithms)
        keys = self._keys.get(token.issuer)
        if keys is None:
            raise self._wrong_issuer(token)
        grant = self._grant(token, await _verify_with(keys, token))
        if _size(grant.scopes) <= MAX_SCOPES_BYTES:
            self._add(text, _CachedGrant(grant, keys, keys.generation))
        return grant

    def find_cached(self, text: str) -> Grant | None:
        """Return what a token grants that was verified before, or None."""
        digest = _digest(text)
        found = self._cache.get(digest)
        if found is None or found.generation != found.keys.generation:
            return None
        if found.grant.expires <= time.time():
            return None
        self._cache.move_to_end(digest)
        return found.grant

    def _add(self, text: str, verified: _CachedGrant) -> None:
        digest = _digest(text)
        self._cache[digest] = verified
        self._cache.move_to_end(digest)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)

    def _grant(self, token: UnverifiedToken, claims: Mapping[str, Any]) -> Grant:
        check_type(token.header, claims, typed=self._rules.typed)
        check_audience(claims, self._rules)
        return Grant(
            read_scopes(claims, self._rules.scope_claims),
            expiry_of(claims),
            read_client(claims, self._rules.client_claims),
        )

    def _wrong_issuer(self, token: UnverifiedToken) -> TokenRefusedError:
        """Log the issuer only if one of ours has signed the token."""
        for keys in dict.fromkeys(self._keys.values()):
            key = keys.current.find(token.kid, token.algorithm)
            if key and is_signed(token, key):
                return TokenRefusedError(
                    "InvalidIssuer", issuer=shorten(token.issuer), wanted=list(self._keys)
                )
        return TokenRefusedError("InvalidIssuer")


async def _verify_with(keys: KeyCache, token: UnverifiedToken) -> Mapping[str, Any]:
    """Verify a token; without a key id, only its signature shows that it is of a newer key."""
    generation = keys.generation
    try:
        return verify_signature(token, await _key_of(keys, token))
    except TokenRefusedError as error:
        if token.kid is not None or error.check != "InvalidSignature":
            raise
        await keys.read_again()
        if keys.generation == generation:
            raise
    return verify_signature(token, await _key_of(keys, token))


async def _key_of(keys: KeyCache, token: UnverifiedToken) -> VerificationKey:
    key = await keys.find(token.kid, token.algorithm)
    if key:
        return key
    if token.kid is None:
        raise TokenRefusedError("no kid")
    known = token.kid in keys.current.kids
    raise TokenRefusedError("InvalidAlgorithm" if known else "kid is not known")


def _digest(text: str) -> bytes:
    """Return the cache's key of a token, which is small and of no use to a thief."""
    return hashlib.sha256(text.encode()).digest()


def _size(scopes: frozenset[str]) -> int:
    """Add up what scopes take in memory, in bytes."""
    return getsizeof(scopes) + sum(map(getsizeof, scopes))
