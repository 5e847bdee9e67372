"""Writes the migration that server/store/tables.py needs, against a database of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.postgres import embedded_postgres
from server.store.migrate import head_revision, upgrade


def write_migration(message: str) -> None:
    """Write a migration with the next number from what tables.py and the migrations differ in."""
    number = f"{int(head_revision() or 0) + 1:04}"
    with (
        tempfile.TemporaryDirectory(prefix="livecalls-") as folder,
        embedded_postgres(Path(folder) / "data") as postgres,
    ):
        upgrade(postgres.url)
        subprocess.run(  # noqa: S603 - the message is one argument, whatever it holds
            [
                sys.executable,
                "-m",
                "alembic",
                "revision",
                "--autogenerate",
                "--rev-id",
                number,
                "-m",
                message,
            ],
            env={**os.environ, "DATABASE_URL": postgres.url, "DATABASE_URL_FILE": ""},
            check=True,
        )


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1]:  # noqa: PLR2004 - itself and the message
        sys.exit('Say what the migration does: make migration MESSAGE="add cover_url"')
    write_migration(sys.argv[1])
