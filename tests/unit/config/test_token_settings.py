"""How the settings of tokens are read, and the errors for an operator about wrong ones."""

from pathlib import Path

import pytest

from server.auth.claims import TokenRules, rules_of
from server.config.tokens import ALGORITHMS
from tests.support.machine.settings import load, refusal

ISSUER = {"AUTH_ISSUER": "https://issuer.example.com/"}
AUDIENCE = {"AUTH_AUDIENCE": "livecalls"}
URL = {"AUTH_JWKS_URL": "https://issuer.example.com/keys"}
WHOLE = ISSUER | AUDIENCE | URL
NO_ISSUER = "AUTH_JWKS_URL and AUTH_JWKS_FILE need AUTH_ISSUER, whose keys they are"
NO_AUDIENCE = "AUTH_ISSUER needs AUTH_AUDIENCE; AUTH_AUDIENCE_CLAIM=none accepts tokens for anybody"


@pytest.fixture
def file(tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "keys.json"
    keys.touch()
    return {"AUTH_JWKS_FILE": str(keys)}


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (AUDIENCE, "AUTH_AUDIENCE needs AUTH_ISSUER"),
        (URL, f"{NO_ISSUER}\n{NO_AUDIENCE}"),
        (AUDIENCE | URL, NO_ISSUER),
        (WHOLE | {"AUTH_ISSUER": ""}, NO_ISSUER),
        (ISSUER, NO_AUDIENCE),
        (ISSUER | URL, NO_AUDIENCE),
        (WHOLE | {"AUTH_AUDIENCE": " "}, NO_AUDIENCE),
        (ISSUER | URL | {"AUTH_AUDIENCE_CLAIM": "client_id"}, NO_AUDIENCE),
    ],
    ids=" ".join,
)
def test_what_is_missing_is_named(settings: dict[str, str], line: str) -> None:
    assert refusal(settings) == line


def test_a_file_alone_is_not_enough(file: dict[str, str]) -> None:
    assert refusal(AUDIENCE | file) == NO_ISSUER


def test_keys_come_from_one_place(file: dict[str, str]) -> None:
    line = "AUTH_JWKS_URL and AUTH_JWKS_FILE exclude each other: set one of them"
    assert refusal(WHOLE | file) == line


def test_a_file_must_be_there(tmp_path: Path) -> None:
    settings = ISSUER | AUDIENCE | {"AUTH_JWKS_FILE": str(tmp_path / "none")}
    assert refusal(settings) == "AUTH_JWKS_FILE: Path does not point to a file"


def test_a_token_for_the_key_server_needs_one(file: dict[str, str]) -> None:
    token = {"AUTH_JWKS_TOKEN_FILE": file["AUTH_JWKS_FILE"]}
    line = "AUTH_JWKS_TOKEN_FILE needs AUTH_JWKS_URL or a single AUTH_ISSUER, to which it is shown"
    several = {"AUTH_ISSUER": "https://a.example https://b.example"}
    assert refusal(ISSUER | AUDIENCE | file | token) == line
    assert refusal(several | AUDIENCE | token) == line
    assert load(several | AUDIENCE | URL | token).tokens.jwks_token_file


def test_an_issuer_may_be_for_any_audience_on_purpose() -> None:
    none = {"AUTH_AUDIENCE_CLAIM": "none"}
    assert not load(ISSUER | none).tokens.compares_audience
    assert rules_of(load(ISSUER | URL | none).tokens).audience_claim is None
    exclude = "AUTH_AUDIENCE and AUTH_AUDIENCE_CLAIM=none exclude each other: set one"
    assert refusal(WHOLE | none) == exclude


@pytest.mark.parametrize("url", ["https://a.example/keys", "http://127.0.0.1:1/", "http://[::1]/"])
def test_well_set_they_are_read(url: str) -> None:
    scopes = {"AUTH_SCOPES": " calls:read  b "}
    tokens = load(WHOLE | scopes | {"AUTH_JWKS_URL": url}).tokens
    assert (tokens.issuer, tokens.audience) == ((ISSUER["AUTH_ISSUER"],), ("livecalls",))
    assert (tokens.jwks_url, tokens.jwks_file) == (url, None)
    assert tokens.scopes == {"calls:read", "b"}


def test_a_file_is_read_too(file: dict[str, str]) -> None:
    tokens = load(ISSUER | AUDIENCE | file).tokens
    assert (str(tokens.jwks_file), tokens.scopes) == (file["AUTH_JWKS_FILE"], frozenset())


def test_there_may_be_several_issuers_and_audiences() -> None:
    tokens = load(URL | {"AUTH_ISSUER": " https://a/  https://b", "AUTH_AUDIENCE": "a b\n"}).tokens
    assert (tokens.issuer, tokens.audience) == (("https://a/", "https://b"), ("a", "b"))


def test_without_others_the_rules_are_the_usual_ones() -> None:
    usual = TokenRules(("livecalls",), "aud", frozenset(ALGORITHMS), False, ("scope", "scp"))
    assert rules_of(load(WHOLE).tokens) == usual


def test_the_rules_are_those_of_the_settings() -> None:
    settings = {
        "AUTH_AUDIENCE_CLAIM": "client_id",
        "AUTH_ALGORITHMS": "PS256  Ed25519",
        "AUTH_TOKEN_TYPE": "at+jwt",
        "AUTH_SCOPE_CLAIMS": "scope permissions",
    }
    allowed = frozenset({"PS256", "Ed25519"})
    rules = TokenRules(("livecalls",), "client_id", allowed, True, ("scope", "permissions"))
    assert rules_of(load(WHOLE | settings).tokens) == rules


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "ü", "a,\x7f"])
def test_a_scope_is_what_a_token_could_grant(scope: str) -> None:
    assert refusal({"AUTH_SCOPES": f"good {scope}"}).startswith("AUTH_SCOPES")


@pytest.mark.parametrize("word", ["no", "OFF", "false", "0"])
def test_the_door_is_opened_with_one_word_alone(word: str) -> None:
    assert refusal({"AUTH": word}) == "AUTH: Input should be 'on' or 'off'"


@pytest.mark.parametrize(
    "algorithm", ["HS256", "HS384", "HS512", "none", "None", "rs256", "ES256K", "RS256,ES256", "*"]
)
def test_no_other_algorithm_can_be_allowed(algorithm: str) -> None:
    message = refusal(WHOLE | {"AUTH_ALGORITHMS": f"RS256 {algorithm}"})
    assert message.startswith("AUTH_ALGORITHMS.1: Input should be 'RS256', 'RS384'")
    assert f"'{algorithm}'" not in message


@pytest.mark.parametrize("name", ["AUTH_ALGORITHMS", "AUTH_SCOPE_CLAIMS"])
def test_a_list_of_nothing_is_no_list(name: str) -> None:
    assert refusal(WHOLE | {name: " "}).startswith(f"{name}: ")


@pytest.mark.parametrize("type_", ["jwt", "AT+JWT", "at"])
def test_a_type_is_required_by_its_name(type_: str) -> None:
    expected = "AUTH_TOKEN_TYPE: Input should be 'any' or 'at+jwt'"
    assert refusal(WHOLE | {"AUTH_TOKEN_TYPE": type_}) == expected
