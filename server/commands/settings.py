"""The settings for a command, or one line that says what is wrong with them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from machine.misspelt import find_misspelt
from server.config.caller import CallerSettings
from server.config.database import DatabaseSettings
from server.config.introspection import IntrospectionSettings
from server.config.server import InsideSettings, ServerSettings
from server.config.settings import Settings
from server.config.stream import StreamSettings
from server.config.tls import TlsSettings
from server.config.tokens import TokenSettings

_PREFIXES = {
    model.__name__: model.model_config.get("env_prefix", "")
    for model in (
        *(TokenSettings, IntrospectionSettings, TlsSettings, DatabaseSettings),
        StreamSettings,
    )
}

_GROUPS = (
    *(ServerSettings, InsideSettings, TokenSettings, IntrospectionSettings, TlsSettings),
    *(DatabaseSettings, StreamSettings),
)
_WHOLLY_OURS = ("AUTH_", "DATABASE_", "STREAM_", "GRPC_TLS_", "INSIDE_")
# The gateway's, which may read the same environment; the others have first words of their own.
_NOT_OURS = frozenset({"MAX_CONNECTIONS", "MAX_HEAP_MB"})


def load_settings(**given: Any) -> Settings:
    """Read the server's settings; what options give for ServerSettings goes before the environment.

    Raises click.ClickException if one of them is wrong, or misspelt.
    """
    _refuse_misspelt(_NOT_OURS.union(*(group.variables() for group in _GROUPS)), _WHOLLY_OURS)
    with telling_what_is_wrong():
        return Settings(server=ServerSettings(**given))


def load_caller_settings(**given: Any) -> CallerSettings:
    """Read the settings of who asks the service; what is given goes before the environment.

    Raises click.ClickException if one of them is wrong, or misspelt.
    """
    _refuse_misspelt(CallerSettings.variables())
    with telling_what_is_wrong():
        return CallerSettings(**given)


def _refuse_misspelt(settings: frozenset[str], prefixes: tuple[str, ...] = ()) -> None:
    if misspelt := list(find_misspelt(os.environ, settings, prefixes)):
        raise click.ClickException("\n".join(misspelt))


def load_database_url() -> str:
    """Read the URL of the database; raises click.ClickException where there is none."""
    # psycopg and SQLAlchemy, which a process that only watches over workers has no use for.
    from server.store.engine import DatabaseUrlError, database_url  # noqa: PLC0415

    try:
        return database_url(load_settings().database)
    except DatabaseUrlError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def telling_what_is_wrong() -> Iterator[None]:
    """Raise as a click.ClickException what is wrong with settings that are read in the block.

    It names the environment variable, and never shows its value.
    """
    try:
        yield
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        prefix = _PREFIXES.get(error.title, "")
        raise click.ClickException("\n".join(_line(prefix, problem) for problem in problems)) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _line(prefix: str, problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    name = prefix + ".".join(str(part) for part in problem["loc"])
    return f"{name.upper()}: {message}" if problem["loc"] else message
