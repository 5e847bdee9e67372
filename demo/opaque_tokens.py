"""The demo's opaque access tokens: random texts, of which a folder keeps the digests alone."""

import hashlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from demo.issuer import DAY

PREFIX = "demo_at_"


class OpaqueToken(BaseModel):
    """What is known of a token, by the names of RFC 7662; `exp` is in Unix seconds."""

    scope: str
    client_id: str = "demo-app"
    sub: str = "demo"
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the type of RFC 6750, and no token
    exp: int


class OpaqueTokens:
    """Tokens in a folder, a file each: processes that name the same folder share them, and starts do."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def issue(self, scopes: Iterable[str] = (), seconds: int = DAY) -> str:
        """Issue a token that grants the scopes, and is good for so many seconds."""
        self._remove_expired()
        text = PREFIX + secrets.token_urlsafe(32)
        token = OpaqueToken(scope=" ".join(scopes), exp=int(time.time()) + seconds)
        _write(self._file(text), token.model_dump_json())
        return text

    def find(self, text: str) -> OpaqueToken | None:
        """Look a token up; None if it is not known, has expired or was revoked."""
        token = _read(self._file(text))
        return token if token and token.exp > time.time() else None

    def revoke(self, text: str) -> None:
        """Forget a token, if it is known."""
        self._file(text).unlink(missing_ok=True)

    def _remove_expired(self) -> None:
        for file in self._folder.glob("*.json"):
            token = _read(file)
            if token and token.exp <= time.time():
                file.unlink(missing_ok=True)

    def _file(self, text: str) -> Path:
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def _read(file: Path) -> OpaqueToken | None:
    try:
        return OpaqueToken.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _write(file: Path, text: str) -> None:
    """Write it whole or not at all, for the issuer may read at any time."""
    new = file.with_suffix(f".{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(text)
    new.rename(file)
