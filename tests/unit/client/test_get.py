from pathlib import Path
from typing import Any

import pytest

from tests.support.machine.commands import run

SECRET = "not to be shown"  # noqa: S105 - none


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument 'ID'"),
        ([""], "must be the id of a call"),
        (["a\udcff"], "must be the id of a call"),
        (["a", "--address", ""], "must be HOST:PORT"),
        (["a", "--url", ""], "must be http://HOST:PORT"),
        (["a", "--address", "host"], "must be HOST:PORT"),
        (["a", "--address", "host:65536"], "must be HOST:PORT"),
        (["a", "--address", "http://host:1"], "must be HOST:PORT"),
        (["a", "--address", "a b:1"], "must be HOST:PORT"),
        (["a", "--url", "host:1"], "must be http://HOST:PORT"),
        (["a", "--url", "http://host:0"], "must be http://HOST:PORT"),
        (["a", "--url", "http://user:pass@host:1"], "must be http://HOST:PORT"),
        (["a", "--url", "http://host/path"], "must be http://HOST:PORT"),
        (["a", "--timeout", "0"], "is not in the range"),
        (["a", "--interval", "0"], "is not in the range"),
        (["a", "--token", SECRET], "ACCESS_TOKEN: must be one word of ASCII"),
        (["a", "--tls-ca", "/no/such/file"], "TLS_CA_FILE: Path does not point to a file"),
        (["a", "--tls-ca", __file__, "--tls-key", __file__], "go together"),
        (["a", "--tls-certificate", __file__, "--tls-key", __file__], "needs TLS_CA_FILE"),
        (["a", "--tls-ca", __file__], "The files for TLS cannot be used"),
        (["a", "--rest", "--tls-ca", __file__], "The files for TLS cannot be used"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_said(arguments: list[str], words: str) -> None:
    ended = run("get", *arguments, of="client")
    assert ended.exit_code == 2
    assert words in ended.stderr
    assert SECRET not in ended.output


def test_and_in_the_environment(tmp_path: Path) -> None:
    for name, value in (("ACCESS_TOKEN", SECRET), ("GRPC_PORT", "x"), ("TLS_CA_FILE", str(tmp_path))):
        settings: dict[str, Any] = {name: value}
        ended = run("get", "a", of="client", **settings)
        assert ended.exit_code == 2
        assert f"Error: {name}: " in ended.stderr
        assert SECRET not in ended.output


def test_the_help_warns_of_tokens_on_the_command_line_and_lists_the_exit_codes() -> None:
    words = " ".join(run("get", "--help", of="client").stdout.split())
    assert "Other users can see it in the process list: prefer ACCESS_TOKEN." in words
    assert "2 wrong usage, 3 no such call, 4 no answer, 5 not let in" in words
