"""Where the calls are stored."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds


class DatabaseSettings(EnvironmentSettings):
    """Where the calls are stored, and how long a read of them may take."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")
    credentials = ("url",)

    url: SecretStr | None = None
    """A PostgreSQL URL: postgresql://user:password@host/database."""
    url_file: Path | None = None
    pool_size: Count = 4
    """Connections a server keeps, and so SELECTs that it has under way at once."""
    connect_timeout_ms: Milliseconds = 1000
    statement_timeout_ms: Milliseconds = 1000
    read_timeout_ms: Milliseconds = 1500
    """How long a caller waits for a row, whatever the reason."""
    max_connection_age_ms: Milliseconds = 300_000
    """How old a connection may get until another takes its place."""
    ready_timeout_ms: Annotated[int, Field(ge=0, lt=2**31)] = 60_000
    """How long a fresh server waits for a first row before it serves all the same; 0 is for ever."""
