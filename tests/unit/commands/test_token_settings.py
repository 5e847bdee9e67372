"""What an operator is told about settings of tokens that are wrong."""

from pathlib import Path

import click
import pytest

from server.auth.claims import TokenRules, rules_of
from server.commands.settings import load_settings
from server.config.tokens import ALGORITHMS, TokenSettings

TOGETHER = "AUTH_ISSUER, AUTH_AUDIENCE and one of AUTH_JWKS_URL and AUTH_JWKS_FILE go together"
SAFE = "AUTH_JWKS_URL: must be an https:// URL, or http:// on this machine"
ISSUER = {"AUTH_ISSUER": "https://issuer.example.com/"}
AUDIENCE = {"AUTH_AUDIENCE": "livecalls"}
URL = {"AUTH_JWKS_URL": "https://issuer.example.com/keys"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTH", *TokenSettings.variables()):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "keys.json"
    keys.touch()
    return {"AUTH_JWKS_FILE": str(keys)}


def told(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> str:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(click.ClickException) as raised:
        load_settings()
    return raised.value.message


@pytest.mark.parametrize(
    "settings",
    [
        ISSUER,
        AUDIENCE,
        URL,
        ISSUER | AUDIENCE,
        ISSUER | URL,
        AUDIENCE | URL,
        {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": ""},
        {**AUDIENCE, **URL, "AUTH_ISSUER": ""},
    ],
    ids=" ".join,
)
def test_half_of_them_is_not_enough(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    assert told(monkeypatch, settings) == TOGETHER


@pytest.mark.parametrize("others", [{}, ISSUER, AUDIENCE], ids=" ".join)
def test_a_file_alone_is_not_enough(
    monkeypatch: pytest.MonkeyPatch, others: dict[str, str], file: dict[str, str]
) -> None:
    assert told(monkeypatch, others | file) == TOGETHER


def test_keys_come_from_one_place(monkeypatch: pytest.MonkeyPatch, file: dict[str, str]) -> None:
    assert told(monkeypatch, ISSUER | AUDIENCE | URL | file) == TOGETHER


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example.com/keys",
        "http://127.0.0.1.example.com/keys",
        "http://127.0.0.1@example.com/keys",
        "http://10.0.0.1/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/keys.json",
        "//issuer.example.com/keys",
        "issuer.example.com/keys",
        "https:///keys",
        "https://",
        "keys.json",
    ],
)
def test_keys_come_by_a_way_that_nobody_can_change(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert told(monkeypatch, {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": url}) == SAFE


def test_a_file_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = {**ISSUER, **AUDIENCE, "AUTH_JWKS_FILE": str(tmp_path / "none")}
    assert told(monkeypatch, settings) == "AUTH_JWKS_FILE: Path does not point to a file"


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "ü", "a,\x7f"])
def test_a_scope_is_what_a_token_could_grant(monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    assert told(monkeypatch, {"AUTH_SCOPES": f"good {scope}"}).startswith("AUTH_SCOPES")


@pytest.mark.parametrize("word", ["no", "OFF", "false", "0"])
def test_the_door_is_opened_with_one_word_alone(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    assert told(monkeypatch, {"AUTH": word}) == "AUTH: Input should be 'on' or 'off'"


@pytest.mark.parametrize("url", ["https://a.example/keys", "http://127.0.0.1:1/", "http://[::1]/"])
def test_well_set_they_are_read(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": url, "AUTH_SCOPES": " calls:read  b "}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    tokens = load_settings().tokens
    assert (tokens.issuer, tokens.audience) == ((ISSUER["AUTH_ISSUER"],), ("livecalls",))
    assert (tokens.jwks_url, tokens.jwks_file) == (url, None)
    assert tokens.scopes == {"calls:read", "b"}


def test_a_file_is_read_too(monkeypatch: pytest.MonkeyPatch, file: dict[str, str]) -> None:
    for name, value in (ISSUER | AUDIENCE | file).items():
        monkeypatch.setenv(name, value)
    tokens = load_settings().tokens
    assert (str(tokens.jwks_file), tokens.scopes) == (file["AUTH_JWKS_FILE"], frozenset())


def read(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> TokenSettings:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return load_settings().tokens


def test_there_may_be_several_issuers_and_audiences(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = read(
        monkeypatch, {**URL, "AUTH_ISSUER": " https://a/  https://b", "AUTH_AUDIENCE": "a b\n"}
    )
    assert (tokens.issuer, tokens.audience) == (("https://a/", "https://b"), ("a", "b"))


def test_without_others_the_rules_are_the_usual_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(read(monkeypatch, ISSUER | AUDIENCE | URL))
    assert rules == TokenRules(("livecalls",), "aud", frozenset(ALGORITHMS), False, ("scope", "scp"))


def test_the_rules_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "AUTH_AUDIENCE_CLAIM": "client_id",
        "AUTH_ALGORITHMS": "PS256  Ed25519",
        "AUTH_TOKEN_TYPE": "at+jwt",
        "AUTH_SCOPE_CLAIMS": "scope permissions",
    }
    rules = rules_of(read(monkeypatch, ISSUER | AUDIENCE | URL | settings))
    allowed = frozenset({"PS256", "Ed25519"})
    assert rules == TokenRules(("livecalls",), "client_id", allowed, True, ("scope", "permissions"))


def test_the_audience_is_not_compared_on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    none = {"AUTH_AUDIENCE_CLAIM": "none"}
    assert rules_of(read(monkeypatch, ISSUER | URL | none)).audience_claim is None
    exclude = "AUTH_AUDIENCE and AUTH_AUDIENCE_CLAIM=none exclude each other: set one"
    assert told(monkeypatch, AUDIENCE) == exclude


@pytest.mark.parametrize(
    "algorithm", ["HS256", "HS384", "HS512", "none", "None", "rs256", "ES256K", "RS256,ES256", "*"]
)
def test_no_other_algorithm_can_be_allowed(monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    message = told(monkeypatch, {**ISSUER, **AUDIENCE, **URL, "AUTH_ALGORITHMS": f"RS256 {algorithm}"})
    assert message.startswith("AUTH_ALGORITHMS.1: Input should be 'RS256', 'RS384'")
    assert f"'{algorithm}'" not in message


@pytest.mark.parametrize("name", ["AUTH_ALGORITHMS", "AUTH_SCOPE_CLAIMS"])
def test_a_list_of_nothing_is_no_list(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert told(monkeypatch, {**ISSUER, **AUDIENCE, **URL, name: " "}).startswith(f"{name}: ")


@pytest.mark.parametrize("type_", ["jwt", "AT+JWT", "at"])
def test_a_type_is_required_by_its_name(monkeypatch: pytest.MonkeyPatch, type_: str) -> None:
    expected = "AUTH_TOKEN_TYPE: Input should be 'any' or 'at+jwt'"
    assert told(monkeypatch, {**ISSUER, **AUDIENCE, **URL, "AUTH_TOKEN_TYPE": type_}) == expected
