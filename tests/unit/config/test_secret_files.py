"""Secrets in files, which variables name that end in _FILE."""

from pathlib import Path

import pytest

from client.settings import load_caller_settings
from server.commands.errors import load_database_url
from tests.support.machine.commands import run
from tests.support.machine.settings import load, load_by, refusal, refusal_by

SECRET = "not-to-be-shown"  # noqa: S105 - none
OF_CALLER = ("ACCESS_TOKEN",)
NAMES = ("DATABASE_URL", "STREAM_API_KEY", "STREAM_API_SECRET", *OF_CALLER)
MISSING = "cannot read the file: No such file or directory"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def refusal_of(name: str, variables: dict[str, str]) -> str:
    """Return why the program that has the secret refuses variables."""
    return refusal_by(load_caller_settings, variables) if name in OF_CALLER else refusal(variables)


def test_secrets_are_read_of_files_without_the_line_end(file: Path) -> None:
    variables = {f"{name}_FILE": str(file) for name in NAMES}
    settings, caller = load(variables), load_by(load_caller_settings, variables)
    read = settings.stream.api_secret, caller.access_token
    assert [secret and secret.get_secret_value() for secret in read] == [SECRET] * 2
    assert (load_by(load_database_url, variables), settings.stream.api_key) == (SECRET, SECRET)


def test_an_empty_variable_names_no_file(file: Path) -> None:
    of_file = {"DATABASE_URL": "", "DATABASE_URL_FILE": str(file)}
    assert load_by(load_database_url, of_file) == SECRET
    url = "postgresql://localhost/calls"
    of_variable = {"DATABASE_URL": url, "DATABASE_URL_FILE": ""}
    assert load_by(load_database_url, of_variable) == url


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_stands_in_one_place(name: str, file: Path) -> None:
    expected = f"{name} and {name}_FILE exclude each other: set one of them"
    assert refusal_of(name, {name: SECRET, f"{name}_FILE": str(file)}) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_by_its_setting(name: str) -> None:
    assert refusal_of(name, {f"{name}_FILE": f"/{SECRET}"}) == f"{name}_FILE: {MISSING}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (SECRET.encode() + b"\xff", "the file is not text in UTF-8"),
    ],
)
def test_a_file_holds_text(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    variables = {"STREAM_API_SECRET_FILE": str(file)}
    assert refusal(variables) == f"STREAM_API_SECRET_FILE: {words}"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    words = "DATABASE_URL_FILE: cannot read the file: Is a directory"
    assert refusal({"DATABASE_URL_FILE": str(tmp_path)}) == words


def test_a_token_on_the_command_line_goes_before_a_file() -> None:
    options = ("--token", "good", "--address", "127.0.0.1:1")
    ended = run("get", "a", *options, of="client", ACCESS_TOKEN_FILE=f"/{SECRET}")
    assert ended.exit_code == 4


def test_the_token_s_file_is_named_too() -> None:
    ended = run("get", "a", of="client", ACCESS_TOKEN_FILE=f"/{SECRET}")
    assert ended.exit_code == 2
    assert ended.stderr.splitlines()[-1] == f"Error: ACCESS_TOKEN_FILE: {MISSING}"
