"""`python -m server check --token`: whether an access token is accepted, and if not, why."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.support.auth.introspected import server_settings
from tests.support.auth.tokens import ABSENT, ISSUER, honest_claims, key_set, signer, token_settings
from tests.support.machine.commands import run
from tests.support.stand_ins.introspection_server import IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer

KEY = signer("ES256")
WANTED = f'wanted: iss "{ISSUER}", aud "livecalls"'


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """The settings of a server that accepts tokens of one key."""
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(KEY))
    return {**token_settings(""), "AUTH_JWKS_FILE": str(file)}


def check(token: str, settings: dict[str, str], stdin: bytes = b"") -> Result:
    result = run("check", "--token", token, stdin=stdin, **settings)
    assert len(token) < 20 or token not in result.output
    return result


def line_of(token: str, settings: dict[str, str]) -> str:
    result = check(token, settings)
    lines = result.stdout.splitlines()
    assert lines[:2] == ["ok    settings: all can be used", "ok    tokens: 1 key to check them with"]
    assert result.exit_code == (0 if lines[2].startswith("ok") else 1)
    assert len(lines) == 3
    return lines[2]


def test_a_good_token_is_accepted(settings: dict[str, str]) -> None:
    expires = honest_claims()["exp"]
    expiry = f"{datetime.fromtimestamp(expires, UTC):%Y-%m-%dT%H:%M:%SZ}"
    line = line_of(KEY.token(exp=expires, scope="a b"), settings)
    assert line == (
        f'ok    token: accepted; it has typ "at+jwt", alg "ES256", kid "es256", iss "{ISSUER}", '
        f'aud "livecalls", scope "a b", exp {expiry}; {WANTED}'
    )


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "other"}, ["refused: InvalidAudience", 'aud "other"']),
        ({"aud": ABSENT}, ["refused: MissingRequiredClaim", "claim"]),
        ({"iss": ISSUER[:-1]}, ["refused: InvalidIssuer", f'iss "{ISSUER[:-1]}"']),
        ({"exp": 5}, ["refused: ExpiredSignature", "exp 1970-01-01T00:00:05Z"]),
        ({"nbf": 4_000_000_000}, ["refused: ImmatureSignature", "nbf 2096-10-02T07:06:40Z"]),
        ({"exp": 10**400}, ["refused: times"]),
    ],
)
def test_the_check_that_fails_is_named_with_what_is_in_the_token(
    settings: dict[str, str], claims: dict[str, Any], words: list[str]
) -> None:
    line = line_of(KEY.token(**claims), settings)
    assert line.startswith("FAIL  token: ")
    assert line.endswith(WANTED)
    for expected in words:
        assert expected in line


def test_a_key_that_is_not_known_is_named(settings: dict[str, str]) -> None:
    line = line_of(signer("ES256", "\x1b[31mother").token(), settings)
    assert "refused: kid is not known" in line
    assert 'kid "\\u001b[31mother"' in line


def test_scopes_that_are_missing_are_named(settings: dict[str, str]) -> None:
    line = line_of(KEY.token(scope="a"), {**settings, "AUTH_SCOPES": "b a"})
    assert "refused: it does not grant all of the scopes a b" in line
    assert line.endswith(f"{WANTED}, the scopes a b")


def test_the_claim_that_is_compared_is_shown(settings: dict[str, str]) -> None:
    settings = {**settings, "AUTH_AUDIENCE": "app web", "AUTH_AUDIENCE_CLAIM": "client_id"}
    line = line_of(KEY.token(client_id="mobile"), settings)
    assert 'client_id "mobile"' in line
    assert line.endswith('client_id "app" or "web"')


def test_what_could_be_compared_instead_of_the_audience_is_shown(settings: dict[str, str]) -> None:
    line = line_of(KEY.token(aud=None, client_id="mobile"), settings)
    assert 'client_id "mobile"' in line.partition("; wanted: ")[0]


def test_the_type_that_is_wanted_is_shown(settings: dict[str, str]) -> None:
    line = line_of(KEY.token(), {**settings, "AUTH_TOKEN_TYPE": "at+jwt"})
    assert 'wanted: typ "at+jwt"' in line


def test_nothing_personal_is_shown(settings: dict[str, str]) -> None:
    token = KEY.token(sub="jane", email="jane@example.com", name="Jane")
    assert "jane" not in line_of(token, settings).lower()


@pytest.mark.parametrize("text", ["opaque", "", "a b", "a.b.c", "ey.ey.ey", "é"])
def test_what_is_no_token_is_malformed(settings: dict[str, str], text: str) -> None:
    needed = "it is no JSON Web Token, and opaque ones need AUTH_INTROSPECTION_URL"
    assert line_of(text, settings) == f"FAIL  token: refused: malformed; {needed}"


def test_a_token_may_come_by_standard_input(settings: dict[str, str]) -> None:
    token = KEY.token()
    result = check("-", settings, stdin=f"{token}\n".encode())
    assert "ok    token: accepted" in result.stdout
    assert token not in result.output


def test_without_keys_it_is_not_tried(settings: dict[str, str], key_server: KeyServer) -> None:
    key_server.answers(503)
    result = check(KEY.token(), {**settings, "AUTH_JWKS_FILE": "", "AUTH_JWKS_URL": key_server.url})
    assert result.stdout.splitlines()[1:] == ["FAIL  tokens: status 503", "--    token: not looked at"]
    assert result.exit_code == 1


def test_with_introspection_alone_it_is_tried(introspection_server: IntrospectionServer) -> None:
    settings = server_settings(introspection_server.url)
    token = introspection_server.knows("lph_at_something-long")
    expected = ["ok    introspection: credentials accepted", "ok    token: accepted"]
    assert check(token, settings).stdout.splitlines()[2:] == expected
    introspection_server.revokes(token)
    assert check(token, settings).stdout.splitlines()[3] == "FAIL  token: refused: inactive"


def test_it_is_tried_unless_that_fails_which_decides(
    settings: dict[str, str], introspection_server: IntrospectionServer
) -> None:
    settings |= server_settings(introspection_server.url)
    introspection_server.answers(500)
    away = "FAIL  introspection: cannot be asked (status 500)"
    *_, introspection, token = check(KEY.token(), settings).stdout.splitlines()
    assert introspection == away
    assert token.startswith("ok    token: accepted")
    *_, introspection, token = check("lph_at_opaque", settings).stdout.splitlines()
    assert (introspection, token) == (away, "--    token: not looked at")


def test_wrong_settings_are_named_and_it_is_not_tried(settings: dict[str, str]) -> None:
    result = check(KEY.token(), {**settings, "AUTH_ISSUER": ""})
    assert result.stdout.startswith("FAIL  settings: ")
    assert len(result.stdout.splitlines()) == 1
    assert result.exit_code == 1


def test_each_of_several_issuers_is_asked_for_its_keys(key_server: KeyServer) -> None:
    one, two = f"{key_server.origin}/one", f"{key_server.origin}/two"
    settings = {**token_settings(""), "AUTH_ISSUER": f"{one} {two}"}
    key_server.publishes(KEY)
    key_server.describes(one)
    result = check(KEY.token(iss=one), settings)
    assert (
        result.stdout.splitlines()[1]
        == f"FAIL  tokens: {two}: discovery: the document is of the issuer None, and wanted is '{two}'"
    )
    key_server.describes(two)
    result = check(KEY.token(iss=one), settings)
    assert result.stdout.splitlines()[1] == "ok    tokens: 2 keys to check them with"
    assert "ok    token: accepted" in result.stdout
