"""PgBouncer before the database, which speaks TLS: the embedded PostgreSQL is built without it."""

import os
import pwd
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from demo.readiness import wait_until
from tests.drill.database import ROLE, Host
from tests.support.database.pgbouncer import pgbouncer_running
from tests.support.network.certificates import Authority

_NAME = "pgbouncer"


@dataclass
class Pooler:
    """A pooler whose certificate the server verifies."""

    authority: Authority
    url: str = ""

    def issue(self, *, days: int) -> None:
        """Write a certificate for so many days; with none left it is expired."""
        pair = self.authority.issue(_NAME, days=days)
        if os.geteuid() == 0:
            # Root's PgBouncer runs as nobody.
            nobody = pwd.getpwnam("nobody")
            for file in (pair.certificate, pair.key):
                os.chown(file, nobody.pw_uid, nobody.pw_gid)

    def show(self, *, days: int) -> None:
        """Show new connections another certificate, for so many days."""
        self.issue(days=days)
        (process,) = (it for it in psutil.Process().children() if it.name() == _NAME)
        process.send_signal(signal.SIGHUP)
        if not wait_until(lambda: self._is_trusted() == bool(days), 20):
            raise AssertionError("PgBouncer does not show its new certificate")

    def _is_trusted(self) -> bool:
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def pooler_running(host: Host, folder: Path) -> Iterator[Pooler]:
    """Run one before a host while the block lasts; its files are in the folder."""
    folder.chmod(0o755)
    pooler = Pooler(Authority(folder, "pooler-ca"))
    pooler.issue(days=30)
    options = (
        "client_tls_sslmode = require",
        f"client_tls_cert_file = {folder / _NAME}.pem",
        f"client_tls_key_file = {folder / _NAME}.key",
    )
    with pgbouncer_running(host.admin_url, "session", *options, user=ROLE) as url:
        pooler.url = f"{url}?sslmode=verify-full&sslrootcert={pooler.authority.certificate}"
        yield pooler
