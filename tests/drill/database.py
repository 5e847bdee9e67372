"""The database of a drill: a PostgreSQL on a port, and another that holds the same calls."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.ports import free_ports
from demo.postgres import EmbeddedPostgres
from server.application.call import Call
from server.store.bulk import store_calls
from server.store.migrate import upgrade
from tests.support.database.postgres import FAST, execute

ROLE = "livecalls_serve"
_ROLE_SQL = f"CREATE ROLE {ROLE} LOGIN; GRANT SELECT ON calls TO {ROLE}"
_SLOTS = "20"


@dataclass(frozen=True)
class Host:
    """One PostgreSQL."""

    postgres: EmbeddedPostgres
    port: int

    @property
    def admin_url(self) -> str:
        """The URL of its superuser, by its socket."""
        return self.postgres.url.replace("port=5432", f"port={self.port}")


@dataclass(frozen=True)
class Database:
    """The hosts: the first is in use, the other is away until the first has failed."""

    first: Host
    other: Host


def url_of(*ports: int) -> str:
    """Return the URL of hosts on this machine, for the server."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://{ROLE}@{hosts}/postgres"


@contextmanager
def database_running(folder: Path, calls: Sequence[Call]) -> Iterator[Database]:
    """Run the first host with the calls while the block lasts."""
    ports = free_ports(2)
    with ExitStack() as stack:
        first, other = (
            stack.enter_context(_host(folder / name, port))
            for name, port in zip(("first", "other"), ports, strict=True)
        )
        hold(first, calls)
        yield Database(first, other)


def hold(host: Host, calls: Sequence[Call]) -> None:
    """Start a fresh host, and store the calls."""
    host.postgres.ensure_running()
    upgrade(host.admin_url)
    execute(host.admin_url, _ROLE_SQL)
    store_calls(host.admin_url, calls)


@contextmanager
def _host(folder: Path, port: int) -> Iterator[Host]:
    folder.mkdir()
    settings = {
        **FAST,
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "max_connections": _SLOTS,
    }
    server = EmbeddedPostgres(folder / "data", folder / "data", settings)
    try:
        yield Host(server, port)
    finally:
        server.stop()
