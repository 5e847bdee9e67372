"""Secrets in files, which variables name that end in _FILE."""

from pathlib import Path

import click
import pytest

from client.settings import CallerSettings
from machine.settings_errors import report_settings_errors
from server.commands.errors import load_database_url
from server.config.loading import load_settings
from server.config.settings import Settings
from tests.support.machine.commands import run

SECRET = "not-to-be-shown"  # noqa: S105 - none
NAMES = ("DATABASE_URL", "STREAM_API_KEY", "STREAM_API_SECRET", "ACCESS_TOKEN")
MISSING = "cannot read the file: No such file or directory"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def told(monkeypatch: pytest.MonkeyPatch, **settings: str) -> str:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(click.ClickException) as raised, report_settings_errors():
        Settings(), CallerSettings()
    assert SECRET not in raised.value.message
    return raised.value.message


def test_secrets_are_read_of_files_without_the_line_end(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    for name in NAMES:
        monkeypatch.setenv(f"{name}_FILE", str(file))
    settings = load_settings()
    read = settings.stream.api_secret, CallerSettings().access_token
    assert [secret and secret.get_secret_value() for secret in read] == [SECRET] * 2
    assert (load_database_url(), settings.stream.api_key) == (SECRET, SECRET)


def test_an_empty_variable_names_no_file(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))
    assert load_database_url() == SECRET
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/calls")
    monkeypatch.setenv("DATABASE_URL_FILE", "")
    assert load_database_url() == "postgresql://localhost/calls"


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_stands_in_one_place(monkeypatch: pytest.MonkeyPatch, name: str, file: Path) -> None:
    expected = f"{name} and {name}_FILE exclude each other: set one of them"
    assert told(monkeypatch, **{name: SECRET, f"{name}_FILE": str(file)}) == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named_by_its_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert told(monkeypatch, **{f"{name}_FILE": f"/{SECRET}"}) == f"{name}_FILE: {MISSING}"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (SECRET.encode() + b"\xff", "the file is not text in UTF-8"),
    ],
)
def test_a_file_holds_text(
    monkeypatch: pytest.MonkeyPatch, file: Path, content: bytes, words: str
) -> None:
    file.write_bytes(content)
    assert told(monkeypatch, STREAM_API_SECRET_FILE=str(file)) == f"STREAM_API_SECRET_FILE: {words}"


def test_a_folder_is_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = "DATABASE_URL_FILE: cannot read the file: Is a directory"
    assert told(monkeypatch, DATABASE_URL_FILE=str(tmp_path)) == words


def test_a_token_on_the_command_line_goes_before_a_file() -> None:
    options = ("--token", "good", "--address", "127.0.0.1:1")
    ended = run("get", "a", *options, of="client", ACCESS_TOKEN_FILE=f"/{SECRET}")
    assert ended.exit_code == 4


def test_the_token_s_file_is_named_too() -> None:
    ended = run("get", "a", of="client", ACCESS_TOKEN_FILE=f"/{SECRET}")
    assert ended.exit_code == 2
    assert ended.stderr.splitlines()[-1] == f"Error: ACCESS_TOKEN_FILE: {MISSING}"
