"""The languages of the stubs, and the clients that test them."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.support.machine.toolchains import Tool, build_once, insist_on, set_up_by
from tests.support.server.deployments import WayIn

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Language:
    """A language, and the tools that its clients are built with."""

    name: str
    tools: tuple[Tool, ...]

    def program(self, name: str) -> str:
        """Return the path of one of its programs: `build`, `run` or `snippet`."""
        return str(ROOT / "tests" / "stubs" / self.name.lower() / name)

    def missing(self) -> str:
        """Return what is missing here to build its clients, empty if nothing is."""
        missing = next(filter(None, (tool.missing() for tool in self.tools)), "")
        return missing and f"stubs for {self.name} need {missing}"


@dataclass(frozen=True)
class Client:
    """A client, by the program that runs it and by the ways in that it can take."""

    name: str
    language: Language
    command: tuple[str, ...]
    ways_in: tuple[WayIn, ...] = tuple(WayIn)
    setup: str | None = None
    """The script that installs what it needs besides its language."""
    own_codes: Mapping[str, str] = field(default_factory=dict)
    """Its library's codes for unreachable servers, if they are not gRPC's, by case."""


class Column(NamedTuple):
    """A client by one way in: a column of the table."""

    client: Client
    way_in: WayIn

    def __str__(self) -> str:
        return f"{self.client.name} {self.way_in}"


PYTHON = Language("Python", (Tool((3, 11), ("python3", "--version")),))
GO = Language("Go", (Tool((1, 26), ("go", "version")),))
TYPESCRIPT = Language("TypeScript", (Tool((20,), ("node", "--version")),))
JAVA = Language("Java", (Tool((17,), ("javac", "--version")), Tool((3, 6), ("mvn", "--version"))))
LANGUAGES = (PYTHON, GO, TYPESCRIPT, JAVA)

_OF_ANOTHER_CA = "TLS: of a CA that is not trusted"

CHROMIUM = Client(
    "TypeScript, Chromium",
    TYPESCRIPT,
    (sys.executable, "-m", "tests.stubs.in_browser"),
    # By gRPC-Web, which Envoy supports.
    (WayIn.THROUGH, WayIn.EMBEDDED),
    "scripts/setup_chromium",
    # A page does not learn why a fetch failed.
    {_OF_ANOTHER_CA: "UNKNOWN", "nobody answers": "UNKNOWN"},
)
CLIENTS = (
    Client("Python", PYTHON, (PYTHON.program("run"),)),
    Client("Go", GO, (GO.program("run"),)),
    Client(
        "TypeScript", TYPESCRIPT, (TYPESCRIPT.program("run"),), own_codes={_OF_ANOTHER_CA: "INTERNAL"}
    ),
    Client("TypeScript, grpc-js", TYPESCRIPT, (TYPESCRIPT.program("run"), "grpc_js")),
    CHROMIUM,
    Client("Java", JAVA, (JAVA.program("run"),)),
)
COLUMNS = tuple(Column(client, way_in) for client in CLIENTS for way_in in client.ways_in)


def build(language: Language) -> None:
    """Build a language's clients, once; if what they need is missing, fail in CI and else skip."""
    insist_on(_missing(language))
    _build(language)


def set_up(client: Client) -> None:
    """Install what a client needs besides its language; if that fails, fail in CI and else skip."""
    if client.setup:
        set_up_by(client.setup)


@cache
def _missing(language: Language) -> str:
    return language.missing()


@cache
def _build(language: Language) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    build_once(f"stubs-{language.name}", [language.program("build")], PATH=path)
