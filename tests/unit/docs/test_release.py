"""One version in all places, so that a release is one tag."""

import json
import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[3]
LIVECALLS_IN_POM = re.compile(r"<artifactId>livecalls-client</artifactId>\s*<version>(.+?)</version>")


def read(path: str) -> str:
    return (PROJECT / path).read_text()


def project_version(path: str) -> str:
    return str(tomllib.loads(read(path))["project"]["version"])


VERSION = project_version("pyproject.toml")


def test_the_stubs_have_the_version_of_the_server() -> None:
    assert project_version("generated/python/pyproject.toml") == VERSION
    assert json.loads(read("generated/typescript/package.json"))["version"] == VERSION
    assert json.loads(read("generated/typescript/package-lock.json"))["version"] == VERSION
    for pom in ("generated/java/pom.xml", "tests/stubs/java/client/pom.xml"):
        assert LIVECALLS_IN_POM.findall(read(pom)) == [VERSION]


def test_the_examples_install_it() -> None:
    installed = re.findall(r"(?<=[-:])\d+\.\d+\.\d+(?=[-.`])", read("docs/clients.md"))
    assert len(installed) >= 3
    assert set(installed) == {VERSION}


def test_the_changelog_begins_with_it() -> None:
    assert re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)[0] == VERSION
