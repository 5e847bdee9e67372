"""The arrows between the packages, as pyproject.toml draws them."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def importing(module: Path, other: str) -> Iterator[None]:
    """Have a module, or a package, import another while the block lasts."""
    file = module / "__init__.py" if module.is_dir() else module
    text = file.read_text()
    file.write_text(f"{text}\nimport {other}\n")
    try:
        yield
    finally:
        file.write_text(text)


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_has_its_place_in_the_drawing(house: Path, room: str) -> None:
    with importing(house / room, "server.__main__"):
        linting = lint(house)
    assert linting.returncode == 1
    assert f"{room.removesuffix('.py').replace('/', '.')} -> server.__main__" in linting.stdout


@pytest.mark.parametrize(
    ("program", "other"),
    [
        *(("server", "gateway.config"), ("gateway", "server.config"), ("client", "server.config")),
        *(("server", "demo.folders"), ("gateway", "demo.folders"), ("client", "demo.folders")),
        ("machine", "server.config"),
    ],
)
def test_programs_import_each_other_only_as_drawn(house: Path, program: str, other: str) -> None:
    with importing(house / program, other):
        linting = lint(house)
    assert linting.returncode == 1
    assert f"{program} -> {other}" in linting.stdout


def test_a_room_that_is_not_drawn_is_missed(house: Path) -> None:
    attic = house / "server" / "attic.py"
    attic.touch()
    try:
        linting = lint(house)
    finally:
        attic.unlink()
    assert linting.returncode == 1
    assert "server.attic" in linting.stdout
