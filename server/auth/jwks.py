"""Reads a JSON Web Key Set (RFC 7517) into the keys that may sign tokens."""

import logging
from collections.abc import Iterator, Mapping

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
    try:
        keys = jwt.PyJWKSet.from_json(document.decode()).keys
    except (ValueError, AttributeError, RecursionError, jwt.PyJWTError) as error:
        raise UnusableKeysError("no JSON Web Key Set") from error
    usable = dict(_usable(keys))
    if not usable:
        raise UnusableKeysError("no usable key")
    return usable


def _usable(keys: list[jwt.PyJWK]) -> Iterator[tuple[str, jwt.PyJWK]]:
    for key in keys:
        if isinstance(key.key_id, str) and key.public_key_use in (None, "sig") and _may_sign(key):
            yield key.key_id, key
        else:
            log.warning("key left out", extra={"kid": str(key.key_id), "algorithm": key.algorithm_name})


def _may_sign(key: jwt.PyJWK) -> bool:
    match key.algorithm_name, key.key:
        case "RS256", RSAPublicKey(key_size=bits):
            return bits >= _SMALLEST_RSA_BITS
        case "ES256", EllipticCurvePublicKey(curve=curve):
            return curve.name == "secp256r1"
        case "EdDSA", Ed25519PublicKey():
            return True
    return False
