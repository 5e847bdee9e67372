"""The option that names a kind of access token, or TOKENS as `make` takes it."""

from collections.abc import Callable
from typing import Any

import click

from demo.token_kind import TokenKind


def kind_option(help_text: str) -> Callable[[Any], Any]:
    """Make the option `--tokens`, which is None if neither it nor TOKENS names a kind."""
    return click.option("--tokens", envvar="TOKENS", callback=_read, help=help_text)


def _read(_: click.Context, __: click.Parameter, value: str | None) -> TokenKind | None:
    """Read a kind; raises click.ClickException, which prints one line, if there is no such."""
    try:
        return TokenKind(value) if value else None
    except ValueError:
        raise click.ClickException(f"TOKENS is jwt or opaque, not {value}") from None
