"""All settings of the server, read once from the environment."""

from dataclasses import dataclass, field

from machine.tracing import TracingSettings
from server.config.database import DatabaseSettings
from server.config.introspection import IntrospectionSettings
from server.config.server import EmbeddedSettings, ServerSettings
from server.config.stream import StreamSettings
from server.config.tls import TlsSettings
from server.config.tokens import TokenSettings
from server.config.tokens_together import check_together


@dataclass(frozen=True)
class Settings:
    """All settings; without arguments, they are read from the environment."""

    server: ServerSettings = field(default_factory=ServerSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    introspection: IntrospectionSettings = field(default_factory=IntrospectionSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    stream: StreamSettings = field(default_factory=StreamSettings)
    tls: TlsSettings = field(default_factory=TlsSettings)
    embedded: EmbeddedSettings = field(default_factory=EmbeddedSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)

    def __post_init__(self) -> None:
        """Raise ValueError if settings of different kinds do not go together."""
        check_together(self.tokens, self.introspection)

    @property
    def introspects_alone(self) -> bool:
        """Whether there are no keys, and all tokens are introspected."""
        return self.introspection.url is not None and not self.tokens.has_keys
