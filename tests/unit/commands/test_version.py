"""`--version` of the programs, and the script that callers have."""

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.machine.commands import run_process

PROJECT = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
LINE = f"LiveCalls {PROJECT['version']}\n"


@pytest.mark.parametrize("program", ["server", "client", "demo"])
def test_the_version_is_printed_whatever_the_settings(program: str) -> None:
    printed = run_process("--version", of=program, GRPC_PORT="eighty")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert printed.stdout.decode() == LINE


def test_callers_have_a_script() -> None:
    script = EntryPoint("livecalls", PROJECT["scripts"]["livecalls"], "console_scripts").load()
    assert CliRunner().invoke(script, ["--version"]).output == LINE
    assert " get " in CliRunner().invoke(script, ["--help"]).output
