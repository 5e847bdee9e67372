"""Which check the log names of a token that is refused."""

import logging
from collections.abc import Callable

import pytest

from server.auth.authenticator import TokenAuthenticator
from server.auth.errors import TokenRefusedError
from server.auth.tokens import TokenVerifier
from tests.support.auth.forged_tokens import PUBLISHED
from tests.support.auth.tokens import ABSENT, bearer, signer
from tests.support.auth.verifying import RSA
from tests.support.stand_ins.scripted_keys import ScriptedSource

EC = signer("ES256")


@pytest.fixture
def source() -> ScriptedSource:
    source = ScriptedSource()
    source.publishes(*PUBLISHED)
    return source


@pytest.fixture
def door(tokens: TokenVerifier, caplog: pytest.LogCaptureFixture) -> TokenAuthenticator:
    caplog.set_level(logging.INFO, "server.auth")
    return TokenAuthenticator(tokens, frozenset())


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda: "x y", "malformed"),
        (lambda: "x.y.z", "malformed"),
        (lambda: "a" * 20_000, "oversize"),
        (lambda: RSA.token({"alg": "none"}), "algorithm"),
        (lambda: RSA.token({"crit": ["b64"], "b64": True}), "header crit"),
        (lambda: RSA.token({"kid": ABSENT}), "no kid"),
        (lambda: RSA.token({"kid": None}), "malformed"),
        (lambda: RSA.token({"alg": "HS256"}), "algorithm"),
        (lambda: RSA.token({"typ": "logout+jwt"}), "typ of another token"),
        (lambda: RSA.token(typ="ID"), "typ of another token"),
        (lambda: RSA.token(token_use="id"), "token_use of another token"),  # noqa: S106 - none
        (lambda: RSA.token(nonce="n"), "ID token"),
        (lambda: signer("RS256", "unknown").token(), "kid is not known"),
        (lambda: signer("RS256", "another").token({"kid": "rs256"}), "InvalidSignature"),
        (lambda: EC.token({"kid": "rs256"}), "InvalidAlgorithm"),
        (lambda: RSA.token(exp=1), "ExpiredSignature"),
        (lambda: RSA.token(nbf=9_999_999_999), "ImmatureSignature"),
        (lambda: RSA.token(iss="other"), "InvalidIssuer"),
        (lambda: RSA.token(aud="other"), "InvalidAudience"),
        (lambda: RSA.token(exp="soon"), "Decode"),
    ],
)
async def test_the_log_names_the_check_that_failed(
    door: TokenAuthenticator, caplog: pytest.LogCaptureFixture, make: Callable[[], str], check: str
) -> None:
    caplog.clear()
    # Made here, so that it has not expired however long the tests before took.
    with pytest.raises(TokenRefusedError):
        await door.admit(list(bearer(make()).values()))
    (line,) = caplog.records
    assert (line.message, vars(line)["check"]) == ("token refused", check)
