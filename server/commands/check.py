"""`python -m server check`: checks each thing that the server needs."""

import sys
from collections.abc import Generator, Iterator

import click

from server.adapters.stream.wire import StreamCall
from server.auth.bearer import resembles_jwt
from server.commands.check_call import check_call, read_call
from server.commands.check_issuers import check_issuers
from server.commands.check_stream import check_stream
from server.commands.check_token import try_token
from server.commands.finding import Finding
from server.config.database import DatabaseSettings
from server.config.loading import load_settings
from server.config.settings import Settings
from server.config.tls import TlsSettings
from server.store.engine import database_url
from server.store.errors import DatabaseError, RightsError, SchemaError, database_errors
from server.store.migrate import current_revision, distance, head_revision
from server.store.probe import probe_reads
from server.store.server_description import describe_server
from server.transport.aio.tls.certificates import CertificateFilesError, load_certificates

_COMPARED_SECONDS = 20
_POOLERS = "session and transaction mode serve, with PgBouncer from 1.18"
_NEIGHBOURS = {-1: "one before", 1: "one behind"}


@click.command
@click.option(
    "--token", metavar="TOKEN", help="Check only this access token; - reads it from standard input."
)
@click.option(
    "--call",
    metavar="TYPE:ID",
    callback=read_call,
    help="Compare only how soon two ways to ask Stream show what becomes of this call.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    help=f"With --call: for how long to ask.  [default: {_COMPARED_SECONDS}]",
)
@click.pass_context
def check(
    context: click.Context, token: str | None, call: StreamCall | None, seconds: float | None
) -> None:
    """Check settings, keys, certificates, database, schema and Stream credentials.

    Each has a line that begins with ok, FAIL, or -- for what was not checked. The exit code is 0
    if nothing fails. Stream gets a request for a call that does not exist, the introspection endpoint
    one for a token that nobody has issued.

    With --token, check whether an access token is accepted, and if not, which check it fails. It is
    never printed; other users of this machine may see it among the arguments, which - avoids.

    With --call, ask Stream for a call by GetCall and by QueryCalls, twice a second, and print when each
    shows a change: take the call on air or end it meanwhile. The last line says how fresh QueryCalls
    is, which STREAM_BULK=auto uses.
    """
    if token is not None and call is not None:
        raise click.UsageError("--token and --call exclude each other")
    if seconds is not None and call is None:
        raise click.UsageError("--seconds goes with --call")
    marks = set()
    for finding in _findings_of(token, call, seconds or _COMPARED_SECONDS):
        click.echo(str(finding))
        marks.add(finding.mark)
    context.exit(1 if "FAIL" in marks else 0)


def _findings_of(token: str | None, call: StreamCall | None, seconds: float) -> Iterator[Finding]:
    if token is not None:
        return _findings_of_token(token)
    return _findings_of_all() if call is None else _findings_of_call(call, seconds)


def _findings_of_all() -> Iterator[Finding]:
    settings = yield from _settings()
    if settings is None:
        return
    yield from check_issuers(settings)
    yield _tls(settings.tls)
    database = _database(settings.database)
    yield database
    if database.mark == "ok":
        yield from _schema_and_pooler(settings.database)
    else:
        yield Finding("--", "schema", "not looked at, for want of the database")
    if settings.stream.configured:
        yield check_stream(settings.stream)
    else:
        yield Finding("--", "Stream", "not configured: live is null for every call")


def _findings_of_token(given: str) -> Iterator[Finding]:
    settings = yield from _settings()
    if settings is None:
        return
    token = sys.stdin.buffer.read().decode(errors="replace") if given == "-" else given
    well = set()
    for finding in check_issuers(settings):
        yield finding
        if finding.mark == "ok":
            well.add(finding.thing)
    if _decides(settings, token.strip()) in well:
        yield try_token(settings, token)
    else:
        yield Finding("--", "token", "not looked at")


def _findings_of_call(call: StreamCall, seconds: float) -> Iterator[Finding]:
    settings = yield from _settings()
    if settings is None:
        return
    if settings.stream.configured:
        yield check_call(settings.stream, call, seconds)
    else:
        yield Finding("FAIL", "Stream", "not configured: set STREAM_API_KEY and STREAM_API_SECRET")


def _decides(settings: Settings, token: str) -> str:
    """Return the name of the finding for what a token is checked with."""
    introspects = settings.introspection.configured and not resembles_jwt(token)
    return "introspection" if introspects or settings.introspects_alone else "tokens"


def _settings() -> Generator[Finding, None, Settings | None]:
    try:
        settings = load_settings()
    except click.ClickException as error:
        yield Finding("FAIL", "settings", "; ".join(error.message.splitlines()))
        return None
    yield Finding("ok", "settings", "all can be used")
    return settings


def _tls(settings: TlsSettings) -> Finding:
    if settings.mode == "off":
        return Finding("--", "TLS", "off: gRPC is plain text")
    try:
        certificates = load_certificates(settings)
    except CertificateFilesError as error:
        return Finding("FAIL", "TLS", str(error))
    mutual = "; clients must show one too" if settings.mode == "mutual" else ""
    return Finding("ok", "TLS", f"{certificates}{mutual}")


def _database(settings: DatabaseSettings) -> Finding:
    try:
        with database_errors():
            return Finding("ok", "database", describe_server(database_url(settings)))
    except DatabaseError as error:
        return Finding("FAIL", "database", str(error))


def _schema_and_pooler(settings: DatabaseSettings) -> Iterator[Finding]:
    try:
        with database_errors():
            is_at = _revision(database_url(settings))
            pooling = probe_reads(settings)
    except SchemaError as error:
        yield Finding("FAIL", "schema", f"{error}: run `python -m server migrate`")
    except DatabaseError as error:
        yield Finding("FAIL", "schema", str(error))
    else:
        yield Finding("ok", "schema", is_at)
        if pooling is not None:
            yield Finding("ok", "pooler", f"in {pooling} mode; {_POOLERS}")


def _revision(url: str) -> str:
    """Return the revision of the schema, for the finding.

    Raises SchemaError if that is neither the head nor next to it.
    """
    needed = head_revision()
    try:
        with database_errors():
            current = current_revision(url)
    except RightsError:
        return "calls can be read; at which revision this role may not know"
    if current == needed:
        return f"at {current} (head)"
    is_at = f"at {current}" if current else "empty"
    if current and distance(current) in _NEIGHBOURS:
        return f"{is_at}, {_NEIGHBOURS[distance(current)]} {needed} (head): served all the same"
    raise SchemaError(f"{is_at}, {needed} is needed")
