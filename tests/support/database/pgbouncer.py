"""PgBouncer before a database: Debian's own, or a newer one, with next to nothing set."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from demo.ports import free_port
from demo.readiness import listens, wait_until
from tests.support.machine.toolchains import ROOT, set_up_by

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{others}
"""

_NEWER = Path(".build/newer-pgbouncer")


class PgBouncer(Enum):
    """A version of PgBouncer: those from 1.21 on know prepared statements."""

    DEBIANS = "1.18"
    NEWER = "1.24"

    def program(self) -> Path:
        """Install it, if it is missing; fail in CI if that fails, and else skip."""
        if self is PgBouncer.NEWER:
            set_up_by("scripts/setup_newer_pgbouncer", str(_NEWER))
            return ROOT / _NEWER / "pgbouncer"
        set_up_by("scripts/setup_programs", "pgbouncer")
        file = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert file
        return Path(file)


@contextmanager
def pgbouncer_running(
    database_url: str,
    mode: str,
    *others: str,
    user: str = "postgres",
    version: PgBouncer = PgBouncer.DEBIANS,
) -> Iterator[str]:
    """Run PgBouncer in a mode while the block lasts; yield the URL of the database through it.

    It connects as `user`, whatever user its clients name.
    """
    program = version.program()
    database = {**conninfo_to_dict(database_url), "user": user}
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="livecalls-") as folder:
        configuration = Path(folder, "pgbouncer.ini")
        text = _CONFIGURATION.format(**database, listen_port=port, mode=mode, others="\n".join(others))
        configuration.write_text(text)
        Path(folder).chmod(0o755)
        with _running(program, configuration, f"127.0.0.1:{port}"):
            yield f"postgresql://postgres@127.0.0.1:{port}{urlsplit(database_url).path}"


@contextmanager
def _running(program: Path, configuration: Path, address: str) -> Iterator[None]:
    process = subprocess.Popen([program, "--quiet", str(configuration)], **_user())
    try:
        assert wait_until(lambda: process.poll() is not None or listens(address), 20)
        assert process.poll() is None, "pgbouncer has ended"
        yield
    finally:
        process.terminate()
        process.wait(10)


def _user() -> dict[str, Any]:
    """Run it as the user of the embedded PostgreSQL: both refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
