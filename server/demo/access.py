"""How callers of the demo are let in: by which token, and with which certificate."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.config import GatewaySettings
from server.addresses import reachable
from server.config.settings import Settings
from server.demo.certificates import DemoCertificates
from server.demo.folders import CERTIFICATES, TOKENS
from server.demo.issuer import DemoIssuer

YOURS = "YOUR-ACCESS-TOKEN"


@dataclass(frozen=True)
class Access:
    """What a caller shows, and the settings of a server and a gateway that ask for it."""

    token: str | None
    certificates: DemoCertificates | None
    settings: Mapping[str, str]

    @property
    def issued(self) -> bool:
        """Whether the token is one of the demo's own."""
        return self.token not in (None, YOURS)


def demo_access(settings: Settings, gateway: GatewaySettings, *, tls: bool) -> Access:
    """Issue a token, unless the settings say whose are accepted; issue certificates for TLS."""
    token, accepted = _token(settings)
    if not tls:
        return Access(token, None, accepted)
    own = (reachable(settings.server.grpc_host), reachable(gateway.rest_host))
    hosts = ("127.0.0.1", "localhost", *own)
    certificates = DemoCertificates(CERTIFICATES, *hosts)
    return Access(token, certificates, {**accepted, **certificates.settings})


def _token(settings: Settings) -> tuple[str | None, dict[str, str]]:
    if settings.server.auth == "off":
        return None, {}
    if settings.tokens.configured:
        return YOURS, {}
    issuer = DemoIssuer(TOKENS)
    return issuer.token(settings.tokens.scopes), issuer.settings
