"""How commands fail: with one line, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from server.config.loading import load_settings
from server.store.engine import DatabaseUrlError, database_url
from server.store.errors import DatabaseError, SchemaError, database_errors

# The exit code of what SIGINT ended, as shells have it.
_INTERRUPTED = 130


def load_database_url() -> str:
    """Read the URL of the database; raises click.ClickException if there is none."""
    try:
        return database_url(load_settings().database)
    except DatabaseUrlError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def report_errors() -> Iterator[None]:
    """End the command with one line if the database refuses or Ctrl-C is pressed."""
    try:
        with database_errors():
            yield
    except SchemaError as error:
        raise click.ClickException(f"{error}: run `python -m server migrate`") from None
    except DatabaseError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
