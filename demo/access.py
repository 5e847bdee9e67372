"""How callers of the demo are admitted: by which token, and with which certificate."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from demo.certificates import DemoCertificates
from demo.folders import CERTIFICATES, TOKENS
from demo.issuer import DemoIssuer
from demo.opaque_issuer import Client, OpaqueIssuer
from demo.ports import free_port
from demo.token_kind import TokenKind
from gateway.config import GatewaySettings
from machine.addresses import reachable
from server.config.introspection import IntrospectionSettings
from server.config.settings import Settings

YOURS = "YOUR-ACCESS-TOKEN"

_CACHE_TTL_MS = "AUTH_INTROSPECTION_CACHE_TTL_MS"
# Much shorter than a server's own default, so that a revocation shows soon.
_SHORT_MS = 5000


@dataclass(frozen=True)
class Access:
    """A caller's credentials, and the settings of a server and a gateway that require them."""

    token: str | None
    certificates: DemoCertificates | None
    settings: Mapping[str, str]
    issuer: OpaqueIssuer | None
    """The issuer that introspects tokens, if they are opaque ones of the demo's own."""

    @property
    def issued(self) -> bool:
        """Whether the token is one of the demo's own."""
        return self.token not in (None, YOURS)

    @property
    def cache_seconds(self) -> float:
        """How long a server caches the issuer's responses, in seconds."""
        return int(self.settings[_CACHE_TTL_MS]) / 1000


def has_own_issuer(settings: Settings) -> bool:
    """Return whether tokens are required, and the settings have no issuer of them."""
    others = settings.tokens.configured or settings.introspection.configured
    return settings.server.auth != "off" and not others


def demo_access(settings: Settings, gateway: GatewaySettings, kind: TokenKind, *, tls: bool) -> Access:
    """Issue a token, unless the settings have an issuer; issue certificates for TLS."""
    token, accepted, issuer = _token(settings, kind)
    if not tls:
        return Access(token, None, accepted, issuer)
    own = (reachable(settings.server.grpc_host), reachable(gateway.rest_host))
    hosts = ("127.0.0.1", "localhost", *own)
    certificates = DemoCertificates(CERTIFICATES, *hosts)
    return Access(token, certificates, {**accepted, **certificates.settings}, issuer)


def _token(
    settings: Settings, kind: TokenKind
) -> tuple[str | None, dict[str, str], OpaqueIssuer | None]:
    if not has_own_issuer(settings):
        return (None if settings.server.auth == "off" else YOURS), {}, None
    kind.note()
    token = kind.issue(settings.tokens.scopes)
    if kind is TokenKind.JWT:
        return token, DemoIssuer(TOKENS).settings, None
    issuer = _opaque_issuer()
    return token, {**issuer.settings, _CACHE_TTL_MS: _cache_ttl_ms(settings.introspection)}, issuer


def _opaque_issuer() -> OpaqueIssuer:
    client = Client("livecalls", secrets.token_urlsafe(32))
    return OpaqueIssuer(free_port(), client)


def _cache_ttl_ms(settings: IntrospectionSettings) -> str:
    return str(settings.cache_ttl_ms if "cache_ttl_ms" in settings.model_fields_set else _SHORT_MS)
