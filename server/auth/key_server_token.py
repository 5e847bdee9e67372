"""The bearer token that a key server requires, such as Kubernetes' own."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import httpx

from server.auth.issuer_errors import IssuerError
from server.config.tokens import TokenSettings

# RFC 6750, section 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class KeyServerToken:
    """A token in a file, which is reread for each request: Kubernetes replaces it every hour.

    It is sent to one origin alone, whatever addresses that names.
    """

    def __init__(self, file: Path, url: str) -> None:
        self._file = file
        self._origin = _origin(url)

    async def headers_for(self, url: str) -> Mapping[str, str]:
        """Make the headers of a request; raises IssuerError if the file cannot be used."""
        if _origin(url) != self._origin:
            return {}
        try:
            token = (await asyncio.to_thread(self._file.read_text, encoding="ascii")).strip()
        except OSError as error:
            raise IssuerError(f"AUTH_JWKS_TOKEN_FILE cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            token = ""
        if not _TOKEN.fullmatch(token):
            raise IssuerError("AUTH_JWKS_TOKEN_FILE holds no token")
        return {"authorization": f"Bearer {token}"}


def key_server_token(settings: TokenSettings, url: str) -> KeyServerToken | None:
    """Return the token that is configured for the key server at a URL, if there is one."""
    return KeyServerToken(settings.jwks_token_file, url) if settings.jwks_token_file else None


def _origin(url: str) -> tuple[str, str, int | None]:
    """Take scheme, host and port, as the client will; the usual port is None."""
    try:
        parts = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError):
        return "", url, None
    return parts.scheme, parts.host, parts.port
