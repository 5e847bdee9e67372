"""Reads a JSON Web Key Set (RFC 7517) into the keys that may sign tokens."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from server.auth.algorithms import PublicKey, UnusableKeyError, read_public_key

_MAX_SHOWN = 100
# How the algorithms and uses of encryption begin (RFC 7518, section 4; RFC 7517, section 4.3).
_ENCRYPTION_ALGORITHMS = ("rsa-oaep", "rsa1_5", "ecdh-es")
_ENCRYPTION_USES = ("encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits")


class VerificationKey(NamedTuple):
    """A public key, and the algorithms that it may verify by."""

    kid: str | None
    algorithms: frozenset[str]
    public_key: PublicKey


class LeftOutKey(NamedTuple):
    """A key of a set that is not used, and why."""

    kid: str | None
    algorithm: str | None
    reason: str


class UnusableKeysError(Exception):
    """What should be a key set holds no key that may sign tokens."""

    def __init__(self, reason: str, left_out: Iterable[LeftOutKey] = ()) -> None:
        super().__init__(reason)
        self.left_out = frozenset(left_out)


class KeySet:
    """Public keys, chosen by the id and the algorithm that a token names."""

    def __init__(
        self, keys: Iterable[VerificationKey] = (), left_out: Iterable[LeftOutKey] = ()
    ) -> None:
        self.keys = tuple(keys)
        self.left_out = frozenset(left_out)
        self.kids = frozenset(key.kid for key in self.keys if key.kid is not None)
        # RFC 7517, section 4.5: keys of different kinds may have one id. Of two alike the last counts.
        self._named = {(key.kid, name): key for key in self.keys for name in key.algorithms}

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """Find the key of an id; without one, the only key that is for the algorithm."""
        if kid is not None:
            return self._named.get((kid, algorithm))
        suitable = self._suitable(algorithm)
        return suitable[0] if len(suitable) == 1 else None

    def may_lack(self, kid: str | None, algorithm: str) -> bool:
        """Return whether a newer set may have a key that this one lacks."""
        return kid not in self.kids if kid is not None else not self._suitable(algorithm)

    def __len__(self) -> int:
        return len(self.keys)

    def _suitable(self, algorithm: str) -> list[VerificationKey]:
        return [key for key in self.keys if algorithm in key.algorithms]


def read_key_set(document: bytes) -> KeySet:
    """Read the keys of a set; raises UnusableKeysError if it has none that is usable.

    Usable is a public key for signatures, of RSA (2,048 bits or more), P-256, P-384, P-521 or Ed25519.
    Keys for encryption are skipped; any other key that is not usable is left out with a reason.
    """
    read = list(_read(_list_keys(document)))
    left_out = [key for key in read if isinstance(key, LeftOutKey)]
    keys = [key for key in read if isinstance(key, VerificationKey)]
    if not keys:
        raise UnusableKeysError("no usable key", left_out)
    return KeySet(keys, left_out)


def _list_keys(document: bytes) -> list[Any]:
    try:
        match json.loads(document.decode()):
            case {"keys": list(keys)}:
                return keys
    except (ValueError, RecursionError) as error:
        raise UnusableKeysError("no JSON") from error
    raise UnusableKeysError("no JSON Web Key Set")


def _read(keys: list[Any]) -> Iterator[VerificationKey | LeftOutKey]:
    for jwk in keys:
        if not isinstance(jwk, dict):
            yield LeftOutKey(None, None, "no JSON Web Key")
        elif not _encrypts(jwk):
            yield _read_key(jwk)


def _read_key(jwk: dict[str, Any]) -> VerificationKey | LeftOutKey:
    try:
        kid = _kid_of(jwk)
        public_key, algorithms = read_public_key(jwk)
    except UnusableKeyError as error:
        return LeftOutKey(_shorten(jwk.get("kid")), _shorten(jwk.get("alg")), str(error))
    return VerificationKey(kid, algorithms, public_key)


def _kid_of(jwk: dict[str, Any]) -> str | None:
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise UnusableKeyError("its kid is no text")
    if jwk.get("use") not in (None, "", "sig"):
        raise UnusableKeyError("its use is not sig")
    return kid


def _encrypts(jwk: dict[str, Any]) -> bool:
    use, algorithm, uses = (jwk.get(name) for name in ("use", "alg", "key_ops"))
    if use:
        return bool(use == "enc")
    if isinstance(algorithm, str) and algorithm.lower().startswith(_ENCRYPTION_ALGORITHMS):
        return True
    return (
        isinstance(uses, list) and "verify" not in uses and any(use in _ENCRYPTION_USES for use in uses)
    )


def _shorten(member: Any) -> str | None:
    """Cut what the log shows of a key; of what is no text, only the type, for it may be nested deep."""
    if member is None:
        return None
    return member[:_MAX_SHOWN] if isinstance(member, str) else f"a {type(member).__name__}"
