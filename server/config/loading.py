"""The server's settings for a command, or lines about what is wrong with them."""

from typing import Any

from machine.settings_errors import refuse_misspelt, report_settings_errors
from server.config.database import DatabaseSettings
from server.config.introspection import IntrospectionSettings
from server.config.server import EmbeddedSettings, ServerSettings
from server.config.settings import Settings
from server.config.stream import StreamSettings
from server.config.tls import TlsSettings
from server.config.tokens import TokenSettings

_GROUPS = (
    *(ServerSettings, EmbeddedSettings, TokenSettings, IntrospectionSettings, TlsSettings),
    *(DatabaseSettings, StreamSettings),
)
_WHOLLY_OURS = ("AUTH_", "DATABASE_", "STREAM_", "GRPC_TLS_", "EMBEDDED_")
# The gateway's, which may read the same environment; its other settings have their own prefixes.
_NOT_OURS = frozenset({"MAX_CONNECTIONS", "MAX_HEAP_MB"})


def load_settings(**given: Any) -> Settings:
    """Read the server's settings; what options give for ServerSettings overrides the environment.

    Raises click.ClickException if one of them is wrong, misspelt, or set by its old name.
    """
    refuse_misspelt(_NOT_OURS.union(*(group.variables() for group in _GROUPS)), _WHOLLY_OURS)
    with report_settings_errors():
        return Settings(server=ServerSettings(**given))
