"""The installed gateway: Envoy takes its configuration, and nothing of it stands in the clone."""

import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.machine.commands import environment
from tests.support.server.serve import without_database

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, and unpack it into a folder."""
    built, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def gateway(installed: Path, command: str, **settings: str) -> str:
    """Run a command of the installed gateway, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", command],
        cwd="/",
        env=environment(PYTHONPATH=str(installed), **settings),
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_its_configuration_names_only_installed_files(installed: Path) -> None:
    files = re.findall(r'"(/[^"*]+\.(?:binpb|lua))"', gateway(installed, "render"))
    assert {Path(file).name for file in files} == {"grpc.lua", "livecalls.binpb", "refusal.lua"}
    assert all(Path(file).is_relative_to(installed) and Path(file).exists() for file in files)


@pytest.mark.parametrize(
    "settings", [{}, {"EMBEDDED": "1", **without_database()}], ids=["standalone", "embedded"]
)
def test_envoy_takes_its_configuration(installed: Path, settings: dict[str, str]) -> None:
    assert "OK" in gateway(installed, "validate", **settings)
