"""The errors for an operator about wrong settings of introspection."""

from pathlib import Path

import pytest

from tests.support.machine.settings import load, refusal

P = "AUTH_INTROSPECTION"
URL = {f"{P}_URL": "https://issuer.example.com/introspect"}
CLIENT = {f"{P}_CLIENT_ID": "app", f"{P}_CLIENT_SECRET": "not-to-be-shown"}
BEARER = {f"{P}_AUTH": "bearer"}
NEEDS_CLIENT = f"introspection needs {P}_CLIENT_ID and {P}_CLIENT_SECRET, or {P}_AUTH=bearer, or none"
NO_URL = f"{P}_URL is missing: only a single AUTH_ISSUER without AUTH_JWKS_URL is asked for it"
KEYS = {
    "AUTH_ISSUER": "https://a.example",
    "AUTH_AUDIENCE": "livecalls",
    "AUTH_JWKS_URL": "https://a.example/keys",
}
NO_NUMBER = "Input should be a valid integer, unable to parse string as an integer"
COMPARED = "which it is compared with"
NEEDS_TOKEN = f"{P}_AUTH=bearer needs one of {P}_TOKEN and {P}_TOKEN_FILE"
HTTPS = "must be https://, or http:// on this machine; AUTH_PLAIN_HTTP=on allows http:// to others"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (CLIENT, NO_URL),
        (BEARER | {f"{P}_TOKEN": "not-to-be-shown"}, NO_URL),
        (CLIENT | KEYS, NO_URL),
        ({f"{P}_CLIENT_ID": "app"}, NEEDS_CLIENT),
        (URL, NEEDS_CLIENT),
        (URL | {f"{P}_CLIENT_ID": "app"}, NEEDS_CLIENT),
        (URL | {f"{P}_AUTH": "form"}, NEEDS_CLIENT),
        (URL | BEARER, NEEDS_TOKEN),
        (URL | BEARER | CLIENT, NEEDS_TOKEN),
        (URL | CLIENT | {f"{P}_REQUIRE": "iss"}, f"{P}_REQUIRE=iss needs AUTH_ISSUER, {COMPARED}"),
        (URL | CLIENT | {f"{P}_REQUIRE": "aud"}, f"{P}_REQUIRE=aud needs AUTH_AUDIENCE, {COMPARED}"),
        (URL | CLIENT | {f"{P}_URL": "http://issuer.example.com/"}, f"{P}_URL: {HTTPS}"),
        (URL | CLIENT | {f"{P}_URL": "issuer.example.com/"}, f"{P}_URL: {HTTPS}"),
        (URL | CLIENT | {f"{P}_CACHE_TTL_MS": "x"}, f"{P}_CACHE_TTL_MS: {NO_NUMBER}"),
        (
            URL | CLIENT | {f"{P}_CACHE_TTL": "1"},
            f"{P}_CACHE_TTL is no setting: is {P}_CACHE_TTL_MS meant?",
        ),
    ],
)  # fmt: skip
def test_they_go_together(settings: dict[str, str], message: str) -> None:
    assert refusal(settings) == message


def test_its_own_token_is_one_word_and_not_shown() -> None:
    message = refusal(URL | BEARER | {f"{P}_TOKEN": "not-to-be-shown x"})
    assert message.startswith(f"{P}_TOKEN: must be one word of ASCII")
    assert "not-to-be-shown" not in message


@pytest.mark.parametrize(
    "settings",
    [
        URL | CLIENT,
        URL | CLIENT | {f"{P}_AUTH": "form"},
        URL | BEARER | {f"{P}_TOKEN": "own"},
        URL | {f"{P}_AUTH": "none"},
        URL | CLIENT | KEYS,
        CLIENT | {"AUTH_ISSUER": "https://a.example", "AUTH_AUDIENCE": "livecalls"},
        URL | CLIENT | {"AUTH_ISSUER": "anything", "AUTH_AUDIENCE": "livecalls"},
        URL | CLIENT | {"AUTH_AUDIENCE": "livecalls", f"{P}_REQUIRE": "aud exp"},
        URL | CLIENT | {f"{P}_URL": "http://10.0.0.1/", "AUTH_PLAIN_HTTP": "on"},
    ],
)
def test_alone_it_is_enough(settings: dict[str, str]) -> None:
    assert load(settings).introspection.configured


def test_secrets_may_stand_in_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("not-to-be-shown\n")
    settings = URL | {f"{P}_CLIENT_ID": "app", f"{P}_CLIENT_SECRET_FILE": str(file)}
    loaded = load(settings).introspection
    assert loaded.client_secret
    assert loaded.client_secret.get_secret_value() == "not-to-be-shown"
    assert "not-to-be-shown" not in repr(loaded)
