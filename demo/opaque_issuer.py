"""How a server uses the demo's issuer of opaque tokens, and how people revoke one."""

from dataclasses import dataclass

INTROSPECT = "/v1/oauth/introspect"
REVOKE = "/v1/oauth/revoke"


@dataclass(frozen=True)
class Client:
    """The client that may introspect, by HTTP Basic."""

    id: str
    secret: str


@dataclass(frozen=True)
class OpaqueIssuer:
    """The issuer's port on 127.0.0.1, and the client that may introspect there."""

    port: int
    client: Client

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that accepts its tokens."""
        return {
            "AUTH_INTROSPECTION_URL": self._url + INTROSPECT,
            "AUTH_INTROSPECTION_CLIENT_ID": self.client.id,
            "AUTH_INTROSPECTION_CLIENT_SECRET": self.client.secret,
        }

    @property
    def revocation_url(self) -> str:
        return self._url + REVOKE

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
