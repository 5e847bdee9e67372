"""How the database is connected to: its parameters, and the engine by which commands write."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, NullPool, create_engine, event

from server.config.database import DatabaseSettings
from server.store.session_settings import setting, settings_of_commands

SCHEMES = ("postgresql://", "postgres://")
COMMAND_STATEMENT_TIMEOUT_MS = 600_000
COMMAND_CONNECT_TIMEOUT_SECONDS = 5
# The files of the CAs that systems trust: Debian, Fedora, openSUSE; Alpine and macOS.
CA_BUNDLES = (
    *(
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
    ),
    "/etc/ssl/cert.pem",
)
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}


class DatabaseUrlError(ValueError):
    """The URL of the database is invalid; the message never shows it, for it holds a password."""


def write_engine(url: str) -> Engine:
    """Build the engine of the commands: ordinary transactions, 10 minutes for a statement, in UTC.

    Nothing is connected yet, and nothing stays so. It and connecting raise DatabaseUrlError.
    """
    parameters = connection_parameters(url)
    parameters.setdefault("connect_timeout", COMMAND_CONNECT_TIMEOUT_SECONDS)
    settings = settings_of_commands(COMMAND_STATEMENT_TIMEOUT_MS, parameters["options"])
    set_all = setting(settings, for_transaction=True)

    def connect() -> psycopg.Connection[Any]:
        # No statement is prepared automatically: behind a pooler another session would get it.
        try:
            connection = psycopg.connect(**parameters, prepare_threshold=None)
        except UnicodeError:  # of looking it up
            raise DatabaseUrlError("DATABASE_URL has a host that can be no name") from None
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        return connection

    engine = create_engine(
        "postgresql+psycopg://", creator=connect, poolclass=NullPool, use_native_hstore=False
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(set_all))
    return engine


def database_url(settings: DatabaseSettings) -> str:
    """Return the configured URL; raises DatabaseUrlError if there is none."""
    if settings.url is None:
        raise DatabaseUrlError("DATABASE_URL is not set")
    return settings.url.get_secret_value()


def connection_parameters(url: str) -> dict[str, Any]:
    """Return libpq's parameters: the URL's, and ours for what it leaves open; raises DatabaseUrlError.

    Text is UTF-8 whatever the role, the database or PGCLIENTENCODING prefer.
    """
    given = {"application_name": "livecalls", **KEEPALIVES, **_with_system_cas(_parse(url))}
    # Poolers take no options: there are none but those of the URL, and none of PGOPTIONS.
    return {**given, "client_encoding": "utf8", "options": given.get("options", "")}


def _with_system_cas(given: dict[str, Any]) -> dict[str, Any]:
    """Name the file that sslrootcert=system is for: the OpenSSL in psycopg's wheel knows of none.

    It means verify-full, and libpq refuses less. SSL_CERT_FILE and SSL_CERT_DIR are OpenSSL's to read.
    """
    asked = given.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    bundles = [bundle for bundle in CA_BUNDLES if Path(bundle).exists()]
    located = not bundles or os.environ.keys() & {"SSL_CERT_FILE", "SSL_CERT_DIR"}
    if asked != "system" or located or given.get("sslmode", "verify-full") != "verify-full":
        return given
    return {**given, "sslrootcert": bundles[0], "sslmode": "verify-full"}


def _parse(url: str) -> dict[str, Any]:
    """Let libpq read the URL, as it does everywhere; its own messages quote it."""
    with suppress(psycopg.Error):
        parameters = conninfo_to_dict(url)
        # A "/" in a password cuts it: what precedes becomes the port, and the rest the database.
        # An "@" in it makes the rest a part of the host.
        port, host = str(parameters.get("port", "")), str(parameters.get("host", ""))
        cut = "@" in host or re.search("//[^/?]*/[^?]*@", url)
        if url.startswith(SCHEMES) and re.fullmatch(r"[0-9,]*", port) and not cut:
            return parameters
    raise DatabaseUrlError(
        "DATABASE_URL is no URL of PostgreSQL: write postgresql://user:password@host:port/database, "
        "with anything special in the password percent-encoded, and no parameters but libpq's behind ?"
    )
