"""The README's snippets in each language, as a programmer runs them who pastes them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stubs.languages import LANGUAGES, PYTHON, ROOT, Language, build
from tests.stubs.ways_in import Targets, WayIn, tokens

_SECTION = (ROOT / "README.md").read_text().split("\n## From other languages\n")[1].split("\n## ")[0]
(_PRINTED,) = re.findall(r"prints `(.+?)`", _SECTION)
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SNIPPETS = dict(_FENCED.findall(_SECTION))

# As for the clients, which are built before it.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_the_snippet_of_a_language(language: Language, targets: Callable[[WayIn], Targets]) -> None:
    build(language)
    snippet = _SNIPPETS[language.name.lower()]
    for address, way_in in ("127.0.0.1:50051", WayIn.DIRECT), ("127.0.0.1:8080", WayIn.THROUGH):
        snippet = snippet.replace(address, targets(way_in)["service"].address)
    printed = subprocess.run(
        [language.program("snippet")],
        env={**os.environ, "ACCESS_TOKEN": tokens()["good"]},
        input=snippet,
        check=True,
        capture_output=True,
        text=True,
    )
    assert printed.stdout.strip() == _PRINTED


def test_the_types_of_python_s_package_reach_who_installs_it(tmp_path: Path) -> None:
    build(PYTHON)
    program = tmp_path / "program.py"
    program.write_text(_SNIPPETS["python"])
    installed = ("--python-executable", ROOT / ".build" / "stubs" / "python" / "bin" / "python")
    # Somewhere where the project's own settings and sources are out of sight.
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *installed, program],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
