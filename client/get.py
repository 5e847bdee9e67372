"""`python -m client get`: asks the running service what the state of a call is, and shows it."""

import re
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from client.caller import (
    Caller,
    CallerError,
    CallNotFoundError,
    TokenRefusedError,
    UnavailableError,
)
from client.output import Lines, Screen
from client.polling import poll
from client.settings import CallerSettings, load_caller_settings
from client.table import sanitize
from client.tls import TlsFilesError
from machine.standard_output import discard_unwritten

# The exit code of what SIGINT ended, as shells have it.
_INTERRUPTED = 130
# 1 is for all else, and 2 click's for what is wrong on the command line.
_EXIT_CODES: dict[type[CallerError], int] = {
    CallNotFoundError: 3,
    UnavailableError: 4,
    TokenRefusedError: 5,
}
_ADVICE: dict[type[CallerError], str] = {
    CallNotFoundError: "Check the id.",
    UnavailableError: "Try again, or name another {place}; if it requires TLS, set --tls-ca.",
    TokenRefusedError: "Put another token into ACCESS_TOKEN; `make -s token` prints one for the demo.",
}


_HOST_AND_PORT = r"(\[[0-9A-Fa-f:.]+\]|[^\s/:@?#]+)(:[0-9]{1,5})"


def _call_id(_: click.Context, __: click.Parameter, value: str) -> str:
    if not re.fullmatch("[^\ud800-\udfff]+", value):
        raise click.BadParameter("must be the id of a call, in UTF-8")
    return value


def _address(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (
        re.fullmatch(_HOST_AND_PORT, value) and _has_a_port_if_any(f"//{value}")
    ):
        raise click.BadParameter("must be HOST:PORT")
    return value


def _url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (
        re.fullmatch(f"https?://{_HOST_AND_PORT}?/?", value) and _has_a_port_if_any(value)
    ):
        raise click.BadParameter("must be http://HOST:PORT or https://HOST:PORT")
    return value


def _has_a_port_if_any(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:  # it is beyond the last
        return False


_FILE = click.Path(path_type=Path)
_EPILOG = (
    "Exit codes: 0 the call is shown, 2 wrong usage, 3 no such call, 4 no answer, 5 not let in, "
    "1 anything else, 130 ended by Ctrl-C, which for --watch is 0."
)


@click.command(epilog=_EPILOG)
@click.argument("call_id", metavar="ID", callback=_call_id)
@click.option("--watch", is_flag=True, help="Poll until Ctrl-C, and show what changes.")
@click.option("--json", "as_json", is_flag=True, help="Print the documented JSON, as into pipes.")
@click.option("--rest", is_flag=True, help="Use REST instead of gRPC.")
@click.option(
    "--address", callback=_address, help="The gRPC server, as HOST:PORT; else GRPC_HOST and GRPC_PORT."
)
@click.option("--url", callback=_url, help="The gateway's base URL; else REST_HOST and REST_PORT.")
@click.option(
    "--token",
    "access_token",
    help="An access token. Other users can see it in the process list: prefer ACCESS_TOKEN.",
)
@click.option(
    "--tls-ca",
    "tls_ca_file",
    type=_FILE,
    help="Use TLS, and trust this CA, a PEM file; else TLS_CA_FILE.",
)
@click.option(
    "--tls-certificate",
    "tls_certificate_file",
    type=_FILE,
    help="The client certificate for mutual TLS; else TLS_CERTIFICATE_FILE.",
)
@click.option("--tls-key", "tls_key_file", type=_FILE, help="Its key; else TLS_KEY_FILE.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=5,
    show_default=True,
    help="Deadline of each request, in seconds.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=1,
    show_default=True,
    help="Seconds between the requests of --watch.",
)
def get(  # noqa: PLR0913 - click passes each option
    *,
    call_id: str,
    watch: bool,
    as_json: bool,
    rest: bool,
    address: str | None,
    url: str | None,
    timeout: float,
    interval: float,
    **given: Any,
) -> None:
    """Get the state of a call from the running service.

    It is printed as a table on a terminal, and as the documented JSON elsewhere.
    """
    settings = _settings(given)
    where = (url or settings.url) if rest else (address or settings.address)
    to_people = sys.stdout.isatty()
    view = Screen() if to_people and not as_json else Lines(to_people=to_people)
    with (
        _report_errors(where, rest=rest, interrupted=0 if watch else _INTERRUPTED),
        closing(_caller(where, settings, timeout, rest=rest)) as caller,
    ):
        if not watch:
            view.once(caller.ask(call_id))
            return
        for snapshot in poll(lambda: caller.ask(call_id), interval):
            view.follow(snapshot)


def _settings(given: dict[str, Any]) -> CallerSettings:
    options = {name: value for name, value in given.items() if value is not None}
    if "access_token" in options:
        options["access_token_file"] = None
    try:
        return load_caller_settings(**options)
    except click.ClickException as error:
        raise click.UsageError(error.message) from None


def _caller(where: str, settings: CallerSettings, timeout: float, *, rest: bool) -> Caller:
    # Only the one that is used: each takes a while to import.
    if rest:
        from client.by_rest import RestCaller  # noqa: PLC0415

        return RestCaller(where, settings, timeout)
    from client.by_grpc import GrpcCaller  # noqa: PLC0415

    return GrpcCaller(where, settings, timeout)


@contextmanager
def _report_errors(where: str, *, rest: bool, interrupted: int) -> Iterator[None]:
    """End the command with one line if there is no call to print, and silently on Ctrl-C."""
    try:
        yield
    except CallerError as error:
        advice = _ADVICE.get(type(error), "Is that LiveCalls, and is it well?")
        place = "--url (REST_HOST, REST_PORT)" if rest else "--address (GRPC_HOST, GRPC_PORT)"
        words = sanitize(error).removesuffix(".")
        click.echo(f"Error: {sanitize(where)}: {words}. {advice.format(place=place)}", err=True)
        raise click.exceptions.Exit(_EXIT_CODES.get(type(error), 1)) from None
    except TlsFilesError as error:
        raise click.UsageError(str(error)) from None
    except BrokenPipeError:
        raise  # click ends silently
    except OSError as error:
        discard_unwritten()
        raise click.ClickException(f"Cannot write: {error.strerror}") from None
    except KeyboardInterrupt:
        click.echo(err=True)
        raise click.exceptions.Exit(interrupted) from None
