"""Reads a JSON Web Key Set (RFC 7517) into the keys that may sign tokens."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

KeySet = Mapping[str, jwt.PyJWK]
"""Public keys by their ids."""

_SMALLEST_RSA_BITS = 2048

log = logging.getLogger("server.auth")


class UnusableKeysError(Exception):
    """What should be a key set holds no key that may sign tokens."""


def read_key_set(document: bytes) -> KeySet:
    """Read the keys of a set; raises UnusableKeysError where it has none that is usable.

    Usable is a public key for RS256 (2,048 bits or more), ES256 or EdDSA (Ed25519) that has a `kid`
    and is for signatures. Others are left out, with a line in the log.
    """
    usable = dict(_usable(_listed(document)))
    if not usable:
        raise UnusableKeysError("no usable key")
    return usable


def _listed(document: bytes) -> list[Any]:
    try:
        match json.loads(document.decode()):
            case {"keys": list(keys)}:
                return keys
    except (ValueError, RecursionError) as error:
        raise UnusableKeysError("no JSON") from error
    raise UnusableKeysError("no JSON Web Key Set")


def _usable(keys: list[Any]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for listed in keys:
        key = _key(listed)
        if key and isinstance(key.key_id, str) and _may_sign(key):
            yield key.key_id, key
        else:
            log.warning("key left out", extra={"kid": key and str(key.key_id)})


def _key(listed: Any) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(listed)
    except Exception:  # noqa: BLE001 - whatever is wrong with one key, the others may be well
        return None


def _may_sign(key: jwt.PyJWK) -> bool:
    if key.public_key_use not in (None, "sig"):
        return False
    match key.algorithm_name, key.key:
        case "RS256", RSAPublicKey(key_size=bits):
            return bits >= _SMALLEST_RSA_BITS
        case "ES256", EllipticCurvePublicKey(curve=curve):
            return curve.name == "secp256r1"
        case "EdDSA", Ed25519PublicKey():
            return True
    return False
