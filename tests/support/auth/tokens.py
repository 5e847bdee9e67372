"""An issuer of access tokens, which signs whatever a test wants."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://issuer.example.com/"
AUDIENCE = "livecalls"
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)


class _Mark(Enum):
    ABSENT = "absent"


# Not a bare object: its repr differs between processes, and stands in names of tests.
ABSENT = _Mark.ABSENT
"""In place of a claim or a header that the token shall not have."""


@dataclass(frozen=True)
class Signer:
    """A private key of the issuer's."""

    kid: str
    algorithm: str
    private_key: Any

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as a key server publishes it."""
        return {**self.bare_jwk, "kid": self.kid, "alg": self.algorithm, "use": "sig"}

    @property
    def bare_jwk(self) -> dict[str, Any]:
        """The public half, without its use."""
        return jwk_of(self.private_key.public_key())

    def token(self, headers: Mapping[str, Any] | None = None, /, **claims: Any) -> str:
        """Sign honest claims but for changes."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": "at+jwt", **(headers or {})}
        return self.signed(_json(header), _json({**honest_claims(), **claims}))

    def signed(self, header: bytes, payload: bytes) -> str:
        """Sign any bytes, with the key's own algorithm."""
        signing_input = f"{encoded(header)}.{encoded(payload)}"
        algorithm = jwt.algorithms.get_default_algorithms()[
            _BY_OLD_NAME.get(self.algorithm, self.algorithm)
        ]
        return f"{signing_input}.{encoded(algorithm.sign(signing_input.encode(), self.private_key))}"


@cache
def signer(algorithm: str, kid: str | None = None) -> Signer:
    """Return a key of an algorithm and an id; the same one in the whole session."""
    return Signer(kid or algorithm.lower(), algorithm, _KINDS[algorithm]())


def all_signers() -> list[Signer]:
    """Return a key of each algorithm that may sign tokens."""
    return [signer(algorithm) for algorithm in ALGORITHMS]


def key_set(*keys: Signer | Mapping[str, Any]) -> bytes:
    """Write the document of a key set."""
    jwks = [key.jwk if isinstance(key, Signer) else key for key in keys]
    return json.dumps({"keys": jwks}).encode()


def jwk_of(key: Any) -> dict[str, Any]:
    """Write a key, private or public, as a JSON Web Key."""
    match key:
        case rsa.RSAPrivateKey() | rsa.RSAPublicKey():
            kind: Any = jwt.algorithms.RSAAlgorithm
        case ec.EllipticCurvePrivateKey() | ec.EllipticCurvePublicKey():
            kind = jwt.algorithms.ECAlgorithm
        case _:
            kind = jwt.algorithms.OKPAlgorithm
    described: dict[str, Any] = kind.to_jwk(key, as_dict=True)
    return described


def honest_claims() -> dict[str, Any]:
    """Make the claims of a token that is valid for five minutes."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "someone", "iat": now, "exp": now + 300}


def bearer(token: str) -> dict[str, str]:
    """Return a token as a header or as metadata."""
    return {"authorization": f"Bearer {token}"}


def token_settings(keys_url: str) -> dict[str, str]:
    """Return the settings of a server that requires tokens of this issuer."""
    return {
        "AUTH": "on",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_URL": keys_url,
    }


def encoded(data: bytes) -> str:
    """Write a part of a token: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(members: Mapping[str, Any]) -> bytes:
    present = {name: value for name, value in members.items() if value is not ABSENT}
    return json.dumps(present, separators=(",", ":")).encode()


def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


_BY_OLD_NAME = {"Ed25519": "EdDSA"}
_KINDS: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), _rsa_key),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}
