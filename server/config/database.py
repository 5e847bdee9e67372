"""The database of the calls."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds


class DatabaseSettings(EnvironmentSettings):
    """The database of the calls, and how long a read of them may take."""

    model_config = SettingsConfigDict(env_prefix="DATABASE_")
    credentials = ("url",)

    url: SecretStr | None = None
    """`postgresql://user:password@host:port/database`, with libpq's own parameters behind `?`; several
    hosts, `one:5432,two:5432`, are tried in turn; `sslrootcert=system` trusts the CAs of the system."""
    url_file: Path | None = None
    """The same, in a file; one of the two."""
    pool_size: Count = 4
    """Connections a server keeps, and so SELECTs it has under way at once; if PostgreSQL has fewer left
    for it, requests wait for those that it has."""
    connect_timeout_ms: Milliseconds = 1000
    """How long connecting may take, for each host of the URL and each address of its name. A request
    that waits longer than `DATABASE_READ_TIMEOUT_MS` fails, and the connecting goes on for the next."""
    statement_timeout_ms: Milliseconds = 1000
    """How long PostgreSQL may work on a SELECT."""
    read_timeout_ms: Milliseconds = 1500
    """How long a caller waits for a row, whatever the reason."""
    max_connection_age_ms: Milliseconds = 300_000
    """How old a connection may get until another takes its place: then a name that leads elsewhere and a
    role's new settings count."""
    unhealthy_after_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How long no SELECT may go well until health is NOT_SERVING: for a server whose callers others can
    serve, by another database. `0` is for ever: in an outage of the one database of all servers, each
    would be taken out."""
    ready_timeout_ms: Annotated[int, Field(ge=0, lt=2**31)] = 60_000
    """How long a fresh server waits for a first SELECT to go well, before it serves all the same; `0` is
    as long as it takes."""
