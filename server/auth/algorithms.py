"""The kinds of keys that tokens are signed with, and the algorithms that each is for."""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from server.config.tokens import ALGORITHMS

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_MIN_RSA_BITS = 2048
_OF_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_OF_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
# One algorithm by two names, since RFC 9864.
_OF_ED25519 = frozenset({"EdDSA", "Ed25519"})
_BY_LOWER_CASE = {name.lower(): name for name in ALGORITHMS}
_KINDS: Mapping[Any, Any] = {
    "RSA": jwt.algorithms.RSAAlgorithm,
    "EC": jwt.algorithms.ECAlgorithm,
    "OKP": jwt.algorithms.OKPAlgorithm,
}

if "Ed25519" not in jwt.PyJWS().get_algorithms():
    jwt.register_algorithm("Ed25519", jwt.algorithms.OKPAlgorithm())


class UnusableKeyError(Exception):
    """A key may sign no token; the message has the reason, for the log."""


def read_public_key(jwk: Mapping[str, Any]) -> tuple[PublicKey, frozenset[str]]:
    """Read a JSON Web Key and the algorithms that it is for; raises UnusableKeyError.

    A key that names its algorithm is for that one alone, in upper or lower case.
    """
    key = _parse(jwk)
    algorithms = _algorithms_of(key)
    return key, _only(jwk["alg"], algorithms) if jwk.get("alg") else algorithms


def _parse(jwk: Mapping[str, Any]) -> PublicKey:
    kty = jwk.get("kty")
    if kty == "oct":
        raise UnusableKeyError("a symmetric key")
    if not isinstance(kty, str) or kty not in _KINDS:
        raise UnusableKeyError("an unknown kind of key")
    if "d" in jwk:
        raise UnusableKeyError("a private key")
    try:
        key: PublicKey = _KINDS[kty].from_jwk(jwk)
    except Exception as error:  # whatever is wrong with one key, the others may be good
        raise UnusableKeyError("malformed, or of an unknown curve") from error
    return key


def _algorithms_of(key: PublicKey) -> frozenset[str]:
    match key:
        case RSAPublicKey(key_size=bits) if bits < _MIN_RSA_BITS:
            raise UnusableKeyError(f"{bits} bits, fewer than {_MIN_RSA_BITS}")
        case RSAPublicKey():
            return _OF_RSA
        case EllipticCurvePublicKey(curve=curve) if curve.name in _OF_CURVES:
            return frozenset({_OF_CURVES[curve.name]})
        case Ed25519PublicKey():
            return _OF_ED25519
    raise UnusableKeyError("its curve is not accepted")


def _only(named: Any, algorithms: frozenset[str]) -> frozenset[str]:
    name = _BY_LOWER_CASE.get(named.lower()) if isinstance(named, str) else None
    if name is None:
        raise UnusableKeyError("its algorithm is not accepted")
    if name not in algorithms:
        raise UnusableKeyError("its algorithm is for another kind of key")
    return _OF_ED25519 if name in _OF_ED25519 else frozenset({name})
