"""The demo's tokens: their claims, and the key that signs them."""

import asyncio
import stat
from pathlib import Path

import pytest

from demo.folders import TOKENS
from demo.issuer import DemoIssuer
from server.auth.claims import TokenRules
from server.auth.errors import TokenRefusedError
from server.auth.key_cache import KeyCache
from server.auth.key_source import of_file
from server.auth.tokens import Grant, TokenVerifier
from tests.support.machine.commands import run


def verified(folder: Path, text: str) -> Grant:
    settings = DemoIssuer(folder).settings

    async def verify() -> Grant:
        async with KeyCache(of_file(Path(settings["AUTH_JWKS_FILE"]))).keep_fresh() as keys:
            rules = TokenRules((settings["AUTH_AUDIENCE"],))
            return await TokenVerifier({settings["AUTH_ISSUER"]: keys}, rules).verify(text)

    return asyncio.run(verify())


def test_a_token_grants_its_scopes_for_its_time(tmp_path: Path) -> None:
    short, long = (DemoIssuer(tmp_path).token({"calls:read", "b"}, seconds) for seconds in (60, 100))
    assert verified(tmp_path, short).scopes == {"calls:read", "b"}
    assert verified(tmp_path, long).expires - verified(tmp_path, short).expires in (40, 41)


def test_its_key_stays_between_starts(tmp_path: Path) -> None:
    text = DemoIssuer(tmp_path).token()
    assert verified(tmp_path, text).scopes == frozenset()


def test_its_key_is_nobody_elses(tmp_path: Path) -> None:
    text = DemoIssuer(tmp_path / "one").token()
    with pytest.raises(TokenRefusedError):
        verified(tmp_path / "other", text)


def test_its_key_is_not_for_others_to_read(tmp_path: Path) -> None:
    DemoIssuer(tmp_path)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert {file.name for file in tmp_path.iterdir()} == {"key.pem", "jwks.json"}


def test_the_command_prints_a_token_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("token", "--scopes", "a b", "--ttl", "60", of="demo")
    assert verified(tmp_path / TOKENS, result.stdout.strip()).scopes == {"a", "b"}
    assert (result.stderr, result.exit_code) == ("", 0)


def test_the_command_wants_a_time_to_come() -> None:
    assert "not in the range" in run("token", "--ttl", "0", of="demo").stderr
