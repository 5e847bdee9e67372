"""That `health`, which probes start every few seconds, imports little."""

import subprocess
import sys

SLOW = {"alembic", "getstream", "httpx", "psycopg", "sqlalchemy", "uvloop"}


def test_it_starts_without_what_takes_long_to_import() -> None:
    program = "import sys, server.commands.health, server.transport.health_probe; print(*sys.modules)"
    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "grpc" in imported
    assert not SLOW & {module.partition(".")[0] for module in imported}
