"""The languages that there are stubs for, and the clients that show that they work."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.stubs.ways_in import WayIn

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Language:
    """A language, and the command that tells the version of what its clients are built with."""

    name: str
    least: tuple[int, ...]
    version: tuple[str, ...]

    def program(self, name: str) -> str:
        """Tell the file of a program of its own: `build`, `run` or `snippet`."""
        return str(ROOT / "tests" / "stubs" / self.name.lower() / name)

    def missing(self) -> str:
        """Say what is missing here to build its clients, if anything is."""
        needed = f"stubs for {self.name} need {self.version[0]} {_dotted(self.least)} or newer"
        if not shutil.which(self.version[0]):
            return f"{needed}; there is none"
        said = subprocess.run(self.version, check=True, capture_output=True, text=True)
        found = tuple(map(int, re.findall(r"\d+", said.stdout + said.stderr)[: len(self.least)]))
        return "" if found >= self.least else f"{needed}; there is {_dotted(found)}"


@dataclass(frozen=True)
class Client:
    """A client, by the program that runs it and by the ways in that it can take."""

    name: str
    language: Language
    command: tuple[str, ...]
    ways_in: tuple[WayIn, ...] = tuple(WayIn)


class Column(NamedTuple):
    """A client by one way in: a column of the table."""

    client: Client
    way_in: WayIn

    def __str__(self) -> str:
        return f"{self.client.name} {self.way_in}"


PYTHON = Language("Python", (3, 11), ("python3", "--version"))
GO = Language("Go", (1, 26), ("go", "version"))
LANGUAGES = (PYTHON, GO)

CLIENTS = (
    Client("Python", PYTHON, (PYTHON.program("run"),)),
    Client("Go", GO, (GO.program("run"),)),
)
COLUMNS = tuple(Column(client, way_in) for client in CLIENTS for way_in in client.ways_in)


def build(language: Language) -> None:
    """Build a language's clients, once; where what they need is missing, fail in CI and else skip."""
    if missing := _missing(language):
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    _build(language)


@cache
def _missing(language: Language) -> str:
    return language.missing()


@cache
def _build(language: Language) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([language.program("build")], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
