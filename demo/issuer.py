"""Issues the demo's access tokens, signed with a key of its own."""

import hashlib
import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

ISSUER = "https://issuer.livecalls.example"
AUDIENCE = "livecalls"
DAY = 24 * 60 * 60


class DemoIssuer:
    """An issuer whose key and key set are files in a folder, made if they are missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._key = _key(folder / "key.pem")
        public = self._key.public_key()
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._kid = hashlib.sha256(raw).hexdigest()[:16]
        jwk = jwt.algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
        key_set = {"keys": [{**jwk, "kid": self._kid, "alg": "EdDSA", "use": "sig"}]}
        self._key_set_file = folder.resolve() / "jwks.json"
        self._key_set_file.write_text(json.dumps(key_set))

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that accepts its tokens."""
        return {
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_JWKS_FILE": str(self._key_set_file),
        }

    def token(self, scopes: Iterable[str] = (), seconds: int = DAY) -> str:
        """Issue a token that grants the scopes, and is good for so many seconds."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "demo",
            "iat": now,
            "exp": now + seconds,
            "scope": " ".join(scopes),
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid})


def _key(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
        _make_key(file)
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{file} holds another kind of key: remove it")
    return key


def _make_key(file: Path) -> None:
    """Make it whole or not at all; of two at the same time, the first stays."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    new.touch(mode=0o600)
    new.write_bytes(pem)
    with suppress(FileExistsError):
        file.hardlink_to(new)
    new.unlink()
