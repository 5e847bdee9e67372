"""A release: the same commit makes the same wheel, and its bill of materials has all that is locked."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.machine.toolchains import ROOT

EPOCH = "1700000000"


def build_wheel(folder: Path, umask: str) -> Path:
    """Build the wheel from a copy of the commit, in a folder and with rights of its own."""
    folder.mkdir()
    unpack = f"umask {umask} && git archive HEAD | tar -x -m -C '{folder}'"
    subprocess.run(["sh", "-c", unpack], cwd=ROOT, check=True)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    subprocess.run(build, cwd=folder, env=environment, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    return build_wheel(folder / "one", "022"), build_wheel(folder / "another", "077")


def test_the_same_commit_makes_the_same_wheel(wheels: tuple[Path, Path]) -> None:
    one, another = wheels
    assert one.read_bytes() == another.read_bytes()


def test_the_wheel_has_what_is_deployed_alone(wheels: tuple[Path, Path]) -> None:
    with ZipFile(wheels[0]) as packed:
        rooms = {name.partition("/")[0] for name in packed.namelist()}
    packages = {room for room in rooms if not room.endswith(".dist-info")}
    assert packages == {"client", "gateway", "livecalls", "machine", "server"}


def test_the_bill_of_materials_has_all_that_is_locked(tmp_path: Path) -> None:
    bill = tmp_path / "livecalls.cdx.json"
    subprocess.run(["scripts/write_sbom", str(bill)], cwd=ROOT, check=True)
    components = json.loads(bill.read_text())["components"]
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert sorted((each["name"], each["version"]) for each in components) == sorted(locked)
    assert all(each["externalReferences"][0]["hashes"] for each in components)
