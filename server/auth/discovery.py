"""Discovers the addresses of an issuer's keys and of its introspection endpoint."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from machine.addresses import is_safe_url
from server.auth.issuer_client import IssuerClient, parse_json
from server.auth.issuer_errors import IssuerError
from server.auth.key_server_token import KeyServerToken, key_server_token
from server.config.tokens import TokenSettings

_MAX_SHOWN = 200


class Metadata(NamedTuple):
    """What an issuer publishes of itself, as far as it is used."""

    jwks_uri: str
    introspection_endpoint: str | None
    """None also if its URL is plain http, and that is not allowed."""


class Discovery:
    """The metadata of one issuer, by OpenID Connect Discovery 1.0 or else RFC 8414."""

    def __init__(
        self,
        client: IssuerClient,
        issuer: str,
        token: KeyServerToken | None = None,
        *,
        plain_http: bool = False,
    ) -> None:
        """Accept https addresses only, unless plain http is allowed or the issuer's own."""
        self._client = client
        self.issuer = issuer
        self._token = token
        self._plain_http = plain_http
        self.known: Metadata | None = None
        """What was read last."""

    async def read(self) -> Metadata:
        """Fetch the metadata; raises IssuerError."""
        try:
            self.known = self._check(parse_json(await self._document()))
        except IssuerError as error:
            raise IssuerError(f"discovery: {error}", retry_after=error.retry_after) from error
        return self.known

    async def introspection_endpoint(self) -> str:
        """Return the endpoint's address, as read last or else now; raises IssuerError."""
        metadata = self.known or await self.read()
        if metadata.introspection_endpoint is None:
            raise IssuerError("discovery: the issuer names no introspection_endpoint that may be asked")
        return metadata.introspection_endpoint

    async def _document(self) -> bytes:
        try:
            return await self._get(openid_url(self.issuer))
        except IssuerError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return await self._get(oauth_url(self.issuer))

    async def _get(self, url: str) -> bytes:
        return await self._client.get(url, await self._token.headers_for(url) if self._token else {})

    def _check(self, document: Any) -> Metadata:
        """Check that the metadata is of this very issuer, to the letter (RFC 8414, section 3.3)."""
        named = document.get("issuer")
        if named != self.issuer:
            raise IssuerError(
                f"the document is of the issuer {_shorten(named)}, and wanted is {_shorten(self.issuer)}"
            )
        jwks_uri = document.get("jwks_uri")
        if not self._is_safe(jwks_uri):
            raise IssuerError("jwks_uri is no https:// URL")
        endpoint = document.get("introspection_endpoint")
        return Metadata(jwks_uri, endpoint if self._is_safe(endpoint) else None)

    def _is_safe(self, url: Any) -> bool:
        if not isinstance(url, str):
            return False
        if self._plain_http or not _is_encrypted(self.issuer):
            return is_safe_url(url, plain_http=self._plain_http)
        return is_safe_url(url) and _is_encrypted(url)


def discoveries_of(settings: TokenSettings, client: IssuerClient) -> Mapping[str, Discovery]:
    """Return the discovery of each issuer whose keys are not configured."""
    if not settings.discovers:
        return {}
    return {
        issuer: Discovery(
            client, issuer, key_server_token(settings, issuer), plain_http=settings.allows_plain_http
        )
        for issuer in settings.issuer
    }


def openid_url(issuer: str) -> str:
    """Write the address of the metadata by OpenID Connect Discovery 1.0, section 4."""
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def oauth_url(issuer: str) -> str:
    """Write the address of the metadata by RFC 8414, section 3: before the issuer's own path."""
    parts = urlsplit(issuer)
    path = f"/.well-known/oauth-authorization-server{parts.path.removesuffix('/')}"
    return parts._replace(path=path).geturl()


def _is_encrypted(url: str) -> bool:
    return urlsplit(url).scheme == "https"


def _shorten(issuer: Any) -> str:
    return repr(issuer)[:_MAX_SHOWN]
