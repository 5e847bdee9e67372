"""Debian's PgBouncer before a database, with nothing set but where it listens and whom it asks."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from server.demo.readiness import free_port, wait_until
from tests.support.rest import listens
from tests.support.toolchains import set_up_by

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


@contextmanager
def pgbouncer_running(
    database_url: str, mode: str, *others: str, user: str = "postgres"
) -> Iterator[str]:
    """Run PgBouncer in a mode while the block lasts; yield the URL of the database through it.

    It connects as `user`, whoever its clients say they are.
    """
    set_up_by("scripts/setup_programs", "pgbouncer")
    database = {**conninfo_to_dict(database_url), "user": user}
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="livecalls-") as folder:
        configuration = Path(folder, "pgbouncer.ini")
        text = _CONFIGURATION.format(**database, listen_port=port, mode=mode, others="\n".join(others))
        configuration.write_text(text)
        Path(folder).chmod(0o755)
        with _running(configuration, f"127.0.0.1:{port}"):
            yield f"postgresql://postgres@127.0.0.1:{port}{urlsplit(database_url).path}"


@contextmanager
def _running(configuration: Path, address: str) -> Iterator[None]:
    file = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert file
    process = subprocess.Popen([file, "--quiet", str(configuration)], **_user())
    try:
        assert wait_until(lambda: process.poll() is not None or listens(address), 20)
        assert process.poll() is None, "pgbouncer has ended"
        yield
    finally:
        process.terminate()
        process.wait(10)


def _user() -> dict[str, Any]:
    """Run it as the user as whom the embedded PostgreSQL runs: it refuses root, and so does that."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
