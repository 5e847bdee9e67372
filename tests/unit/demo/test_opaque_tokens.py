"""The demo's opaque tokens: what the issuer knows of them, for how long, and what is left of them."""

import stat
import time
from pathlib import Path

import pytest

from demo.folders import OPAQUE_TOKENS, TOKENS
from demo.issuer import DAY
from demo.opaque_tokens import OpaqueTokens
from demo.token_kind import TokenKind, read_kind
from tests.support.machine.commands import run


def test_a_token_grants_its_scopes_for_its_time(tmp_path: Path) -> None:
    tokens = OpaqueTokens(tmp_path)
    began = int(time.time())
    known = tokens.find(tokens.issue(["calls:read", "b"], 60))
    assert known
    assert known.scope == "calls:read b"
    assert began + 60 <= known.exp <= time.time() + 60


def test_a_token_stays_between_starts_and_is_nobody_elses(tmp_path: Path) -> None:
    text = OpaqueTokens(tmp_path / "one").issue()
    assert OpaqueTokens(tmp_path / "one").find(text)
    assert OpaqueTokens(tmp_path / "other").find(text) is None


def test_a_revoked_token_is_not_known_and_others_are(tmp_path: Path) -> None:
    tokens = OpaqueTokens(tmp_path)
    revoked, other = tokens.issue(), tokens.issue()
    tokens.revoke(revoked)
    tokens.revoke("never issued")
    assert tokens.find(revoked) is None
    assert tokens.find(other)


def test_an_expired_token_is_not_known_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = OpaqueTokens(tmp_path)
    text = tokens.issue(seconds=60)
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert tokens.find(text) is None
    tokens.issue()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_broken_file_is_no_token_and_in_nobodys_way(tmp_path: Path) -> None:
    tokens = OpaqueTokens(tmp_path)
    text = tokens.issue()
    (file,) = tmp_path.iterdir()
    file.write_text("")
    assert tokens.find(text) is None
    assert tokens.find(tokens.issue())


def test_the_folder_does_not_hold_what_is_shown_and_is_not_for_others(tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    text = OpaqueTokens(folder).issue()
    assert text.startswith("demo_at_")
    (file,) = folder.iterdir()
    assert text not in file.name + file.read_text()
    assert text.removeprefix("demo_at_") not in file.name + file.read_text()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, file)] == [0o700, 0o600]


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_elsewhere")
def test_the_command_prints_what_the_demo_of_the_folder_accepts() -> None:
    TokenKind.OPAQUE.note()
    printed = run("token", "--scopes", "a b", "--ttl", "60", of="demo").stdout
    known = OpaqueTokens(OPAQUE_TOKENS).find(printed.removesuffix("\n"))
    assert known
    assert known.scope == "a b"
    TokenKind.JWT.note()
    assert run("token", of="demo").stdout.count(".") == 2


@pytest.mark.usefixtures("_elsewhere")
def test_the_command_prints_the_kind_that_is_asked_for() -> None:
    assert run("token", of="demo").stdout.count(".") == 2
    assert run("token", "--tokens", "opaque", of="demo").stdout.startswith("demo_at_")
    assert run("token", of="demo", TOKENS="opaque").stdout.startswith("demo_at_")
    assert read_kind() is TokenKind.JWT


@pytest.mark.usefixtures("_elsewhere")
def test_an_unreadable_note_is_none() -> None:
    TOKENS.mkdir(parents=True)
    (TOKENS / "kind").write_text("other")
    assert read_kind() is TokenKind.JWT


@pytest.mark.parametrize("command", ["token", "run"])
@pytest.mark.parametrize("kind", ["Opaque", "jwt ", "opaque,jwt", "1"])
def test_another_kind_is_refused_in_one_line(command: str, kind: str) -> None:
    refused = run(command, of="demo", TOKENS=kind)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: TOKENS is jwt or opaque, not {kind}\n"


def test_it_is_good_for_a_day_unless_another_time_is_asked_for(tmp_path: Path) -> None:
    tokens = OpaqueTokens(tmp_path)
    began = int(time.time())
    known = tokens.find(tokens.issue())
    assert known
    assert began + DAY <= known.exp <= time.time() + DAY
