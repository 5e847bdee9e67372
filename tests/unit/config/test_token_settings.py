"""The errors for an operator about wrong settings of tokens."""

from pathlib import Path

import click
import pytest

from server.auth.claims import TokenRules, rules_of
from server.config.loading import load_settings
from server.config.tokens import ALGORITHMS, TokenSettings

SAFE = "must be https://, or http:// on this machine; AUTH_PLAIN_HTTP=on allows http:// to others"
NO_ISSUER = "AUTH_JWKS_URL and AUTH_JWKS_FILE need AUTH_ISSUER, whose keys they are"
NO_AUDIENCE = "AUTH_ISSUER needs AUTH_AUDIENCE; AUTH_AUDIENCE_CLAIM=none accepts tokens for anybody"
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
    ("settings", "line"),
    [
        (AUDIENCE, "AUTH_AUDIENCE needs AUTH_ISSUER"),
        (URL, f"{NO_ISSUER}\n{NO_AUDIENCE}"),
        (AUDIENCE | URL, NO_ISSUER),
        ({**AUDIENCE, **URL, "AUTH_ISSUER": ""}, NO_ISSUER),
        (ISSUER, NO_AUDIENCE),
        (ISSUER | URL, NO_AUDIENCE),
        ({**ISSUER, **URL, "AUTH_AUDIENCE": " "}, NO_AUDIENCE),
        ({**ISSUER, **URL, "AUTH_AUDIENCE_CLAIM": "client_id"}, NO_AUDIENCE),
    ],
    ids=" ".join,
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], line: str
) -> None:
    assert told(monkeypatch, settings) == line


def test_a_file_alone_is_not_enough(monkeypatch: pytest.MonkeyPatch, file: dict[str, str]) -> None:
    assert told(monkeypatch, AUDIENCE | file) == NO_ISSUER


def test_keys_come_from_one_place(monkeypatch: pytest.MonkeyPatch, file: dict[str, str]) -> None:
    line = "AUTH_JWKS_URL and AUTH_JWKS_FILE exclude each other: set one of them"
    assert told(monkeypatch, ISSUER | AUDIENCE | URL | file) == line


def test_a_token_for_the_key_server_needs_one(
    monkeypatch: pytest.MonkeyPatch, file: dict[str, str]
) -> None:
    token = {"AUTH_JWKS_TOKEN_FILE": file["AUTH_JWKS_FILE"]}
    line = "AUTH_JWKS_TOKEN_FILE needs AUTH_JWKS_URL or a single AUTH_ISSUER, to which it is shown"
    assert told(monkeypatch, ISSUER | AUDIENCE | file | token) == line
    monkeypatch.delenv("AUTH_JWKS_FILE")
    assert told(monkeypatch, {"AUTH_ISSUER": "https://a.example https://b.example"}) == line
    for name, value in URL.items():
        monkeypatch.setenv(name, value)
    assert load_settings().tokens.jwks_token_file


@pytest.mark.parametrize(
    "issuer",
    [
        "accounts.example.com",
        "http://issuer.example.com",
        "ftp://issuer.example.com",
        "https://issuer.example.com?a=b",
        "https://issuer.example.com#a",
        "https://",
        "https://[",
        "https://issuer.example.com urn:issuer",
    ],
)
def test_keys_are_discovered_at_an_address_that_nobody_can_change(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    line = f"AUTH_ISSUER: without AUTH_JWKS_URL or AUTH_JWKS_FILE it {SAFE}"
    assert told(monkeypatch, {**AUDIENCE, "AUTH_ISSUER": issuer}) == line


def test_an_issuer_whose_keys_are_named_may_be_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**AUDIENCE, **URL, "AUTH_ISSUER": "accounts.example.com urn:issuer"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    tokens = load_settings().tokens
    assert tokens.issuer == ("accounts.example.com", "urn:issuer")
    assert not tokens.discovers


@pytest.mark.parametrize(
    "settings",
    [
        {"AUTH_ISSUER": "https://a.example https://b.example/"},
        {"AUTH_ISSUER": "http://127.0.0.1:8080/realms/a"},
        {"AUTH_ISSUER": "http://keycloak:8080/realms/a", "AUTH_PLAIN_HTTP": "on"},
    ],
    ids=lambda settings: settings["AUTH_ISSUER"],
)
def test_an_issuer_alone_is_enough(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in (AUDIENCE | settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings().tokens.discovers


def test_an_issuer_may_be_for_any_audience_on_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**ISSUER, "AUTH_AUDIENCE_CLAIM": "none"}.items():
        monkeypatch.setenv(name, value)
    assert not load_settings().tokens.compares_audience


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
        "https://issuer.example.com:99999/keys",
        "https://issuer.example.com:0/keys",
        "https://issuer.example.com:port/keys",
        "keys.json",
    ],
)
def test_keys_come_by_a_way_that_nobody_can_change(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert told(monkeypatch, {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": url}) == f"AUTH_JWKS_URL: {SAFE}"


@pytest.mark.parametrize("url", ["http://issuer.example.com/keys", "http://10.0.0.1/keys"])
def test_plain_http_is_allowed_on_purpose(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": url, "AUTH_PLAIN_HTTP": "on"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert load_settings().tokens.jwks_url == url
    assert (
        told(monkeypatch, {"AUTH_PLAIN_HTTP": "yes"}) == "AUTH_PLAIN_HTTP: Input should be 'on' or 'off'"
    )


@pytest.mark.parametrize("url", ["ftp://10.0.0.1/keys", "file:///keys", "http://", "keys.json"])
def test_nothing_else_is(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = {**ISSUER, **AUDIENCE, "AUTH_JWKS_URL": url, "AUTH_PLAIN_HTTP": "on"}
    assert told(monkeypatch, settings) == f"AUTH_JWKS_URL: {SAFE}"


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "socks5://proxy:1080",
        "https://",
        "http://proxy:port",
        "http://proxy/path",
        "http://user:secret word@proxy",
        "http://[proxy",
    ],
)
def test_a_proxy_is_one_of_http(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    words = "must be http://HOST:PORT or https://HOST:PORT, with user:password@ at most"
    assert told(monkeypatch, {"AUTH_PROXY_URL": url}) == f"AUTH_PROXY_URL: {words}"


def test_the_password_of_a_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_PROXY_URL", "http://user:hush@proxy:3128/")
    assert "hush" not in repr(load_settings())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "holds no certificates in PEM"),
        (
            b"-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n",
            "holds no certificates in PEM",
        ),
    ],
)
def test_authorities_must_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    assert told(monkeypatch, {"AUTH_CA_FILE": str(file)}) == f"AUTH_CA_FILE: {words}"


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
