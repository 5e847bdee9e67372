"""The settings for a command, or one line that says what is wrong with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from server.config import (
    DatabaseSettings,
    ServerSettings,
    Settings,
    StreamSettings,
    TlsSettings,
    TokenSettings,
)

_PREFIXES = {
    model.__name__: model.model_config.get("env_prefix", "")
    for model in (TokenSettings, TlsSettings, DatabaseSettings, StreamSettings)
}


def load_settings(**given: Any) -> Settings:
    """Read the server's settings; what options give for ServerSettings goes before the environment.

    Raises click.ClickException where one of them is wrong.
    """
    with telling_what_is_wrong():
        return Settings(server=ServerSettings(**given))


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


def _line(prefix: str, problem: ErrorDetails) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    name = prefix + ".".join(str(part) for part in problem["loc"])
    return f"{name.upper()}: {message}" if problem["loc"] else message
