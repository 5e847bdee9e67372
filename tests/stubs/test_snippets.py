"""The documents' snippets in each language, as a programmer runs them who pastes them."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stubs.cases import CALLS
from tests.stubs.languages import CHROMIUM, LANGUAGES, PYTHON, ROOT, TYPESCRIPT, Language, build, set_up
from tests.stubs.ways_in import Targets, tokens
from tests.support.callers.browser import browser_running
from tests.support.server.deployments import WayIn

_PAGE = (ROOT / "docs" / "clients.md").read_text()
(_PRINTED,) = re.findall(r"prints `(.+?)`", _PAGE)
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SNIPPETS = dict(_FENCED.findall(_PAGE))

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


@pytest.mark.parametrize("way_in", CHROMIUM.ways_in, ids=str)
def test_the_snippet_for_pages(way_in: WayIn, targets: Callable[[WayIn], Targets], page: str) -> None:
    build(TYPESCRIPT)
    set_up(CHROMIUM)
    snippet = _SNIPPETS["ts"].replace("127.0.0.1:8080", targets(way_in)["service"].address)
    subprocess.run([TYPESCRIPT.program("page_snippet")], input=snippet, check=True, text=True)
    call = {"id": CALLS["a call on air"]["id"], "token": tokens()["good"]}
    with browser_running() as browser:
        opened = browser.new_page()
        opened.goto(page)
        opened.add_script_tag(url="snippet.js")
        assert opened.evaluate("({ id, token }) => snippet.describe(id, token)", call) == _PRINTED


def test_the_types_of_python_s_package_reach_who_installs_it(tmp_path: Path) -> None:
    build(PYTHON)
    program = tmp_path / "program.py"
    program.write_text(_SNIPPETS["python"])
    installed = ("--python-executable", ROOT / ".build" / "stubs" / "python" / "bin" / "python")
    # In a folder that cannot see the project's own settings and sources.
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *installed, program],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
