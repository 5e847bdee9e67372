"""`python -m demo run`: everything on one machine, as `make run` starts it."""

import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import click

from demo.error import DemoError
from demo.kind_option import kind_option
from demo.postgres import PostgresFailedError
from demo.run import run_demo
from demo.token_kind import TokenKind
from gateway.config import GatewaySettings
from machine.settings_errors import report_settings_errors
from server.config.loading import load_settings
from server.store.errors import DatabaseError


@click.command
@click.option("--tls", is_flag=True, help="Encrypt every connection, with certificates of its own.")
@kind_option("Which kind of access tokens it has: jwt, or opaque.  [default: jwt]")
def run(*, tls: bool, tokens: TokenKind | None) -> None:
    """Run everything on this machine: PostgreSQL, sample calls, a Stream stand-in, server and Envoy."""
    settings = load_settings()
    with report_settings_errors():
        gateway = GatewaySettings()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with suppress(KeyboardInterrupt):
            run_demo(settings, gateway, tokens or TokenKind.JWT, tls=tls)
    except (DemoError, DatabaseError, PostgresFailedError) as error:
        raise click.ClickException(str(error)) from None
    click.echo("Ended.")


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - named by signal
    raise KeyboardInterrupt
