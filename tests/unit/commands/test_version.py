"""`python -m server --version`."""

import tomllib
from pathlib import Path

from tests.support.commands import run_process

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]


def test_the_version_is_printed_whatever_the_settings() -> None:
    printed = run_process("--version", GRPC_PORT="eighty")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert printed.stdout.decode() == f"LiveCalls {PROJECT['version']}\n"
