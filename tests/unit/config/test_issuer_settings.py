"""By which addresses, proxies and authorities an issuer may be asked for its keys."""

from pathlib import Path

import pytest

from tests.support.machine.settings import load, refusal

SAFE = "must be https://, or http:// on this machine; AUTH_PLAIN_HTTP=on allows http:// to others"
ISSUER = {"AUTH_ISSUER": "https://issuer.example.com/", "AUTH_AUDIENCE": "livecalls"}
PLAIN_HTTP = {"AUTH_PLAIN_HTTP": "on"}


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
def test_keys_are_discovered_at_an_address_that_nobody_can_change(issuer: str) -> None:
    line = f"AUTH_ISSUER: without AUTH_JWKS_URL or AUTH_JWKS_FILE it {SAFE}"
    assert refusal(ISSUER | {"AUTH_ISSUER": issuer}) == line


@pytest.mark.parametrize(
    "settings",
    [
        {"AUTH_ISSUER": "https://a.example https://b.example/"},
        {"AUTH_ISSUER": "http://127.0.0.1:8080/realms/a"},
        {"AUTH_ISSUER": "http://keycloak:8080/realms/a", **PLAIN_HTTP},
    ],
    ids=lambda settings: settings["AUTH_ISSUER"],
)
def test_an_issuer_alone_is_enough(settings: dict[str, str]) -> None:
    assert load(ISSUER | settings).tokens.discovers


def test_an_issuer_whose_keys_are_named_may_be_any_text() -> None:
    url = {"AUTH_JWKS_URL": "https://issuer.example.com/keys"}
    tokens = load(ISSUER | url | {"AUTH_ISSUER": "accounts.example.com urn:issuer"}).tokens
    assert tokens.issuer == ("accounts.example.com", "urn:issuer")
    assert not tokens.discovers


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
def test_keys_come_by_a_way_that_nobody_can_change(url: str) -> None:
    assert refusal(ISSUER | {"AUTH_JWKS_URL": url}) == f"AUTH_JWKS_URL: {SAFE}"


@pytest.mark.parametrize("url", ["http://issuer.example.com/keys", "http://10.0.0.1/keys"])
def test_plain_http_is_allowed_on_purpose(url: str) -> None:
    settings = ISSUER | {"AUTH_JWKS_URL": url}
    assert load(settings | PLAIN_HTTP).tokens.jwks_url == url
    line = "AUTH_PLAIN_HTTP: Input should be 'on' or 'off'"
    assert refusal(settings | {"AUTH_PLAIN_HTTP": "yes"}) == line


@pytest.mark.parametrize("url", ["ftp://10.0.0.1/keys", "file:///keys", "http://", "keys.json"])
def test_nothing_else_is(url: str) -> None:
    assert refusal(ISSUER | PLAIN_HTTP | {"AUTH_JWKS_URL": url}) == f"AUTH_JWKS_URL: {SAFE}"


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
def test_a_proxy_is_one_of_http(url: str) -> None:
    words = "must be http://HOST:PORT or https://HOST:PORT, with user:password@ at most"
    assert refusal({"AUTH_PROXY_URL": url}) == f"AUTH_PROXY_URL: {words}"


def test_the_password_of_a_proxy_is_not_shown() -> None:
    assert "hush" not in repr(load({"AUTH_PROXY_URL": "http://user:hush@proxy:3128/"}))


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
def test_authorities_must_be_there(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    assert refusal({"AUTH_CA_FILE": str(file)}) == f"AUTH_CA_FILE: {words}"
