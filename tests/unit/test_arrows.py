"""The arrows between the packages, as pyproject.toml draws them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
ROOMS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "server").iterdir()
    if path.name not in ("__init__.py", "__main__.py", "__pycache__")
)


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    # In a process of its own: it sets up logging for the whole of it.
    return subprocess.run(
        [LINT_IMPORTS, *options], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_packages_import_each_other_only_as_drawn() -> None:
    linting = lint(ROOT, "--no-cache")
    assert linting.returncode == 0, linting.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, in which all is as drawn."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    assert lint(folder).returncode == 0
    return folder


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_its_place_in_the_drawing(house: Path, room: str) -> None:
    module = house / room
    module = module / "__init__.py" if module.is_dir() else module
    text = module.read_text()
    module.write_text(f"{text}\nimport server.__main__\n")
    try:
        linting = lint(house)
    finally:
        module.write_text(text)
    assert linting.returncode == 1
    assert f"{room.removesuffix('.py').replace('/', '.')} -> server.__main__" in linting.stdout


def test_a_room_that_is_not_drawn_is_missed(house: Path) -> None:
    attic = house / "server" / "attic.py"
    attic.touch()
    try:
        linting = lint(house)
    finally:
        attic.unlink()
    assert linting.returncode == 1
    assert "server.attic" in linting.stdout
