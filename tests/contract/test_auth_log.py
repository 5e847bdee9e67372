"""The log of callers that were not admitted: which check, which request, and nothing of the token."""

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from server.runtime import logs
from tests.support.auth.forged_tokens import PUBLISHED
from tests.support.auth.guarded import ask, guarded_service, refused
from tests.support.auth.tokens import ABSENT, signer
from tests.support.machine.log import the_one
from tests.support.server.service import Deployment, Service
from tests.support.stand_ins.key_server import KeyServer

RSA = signer("RS256")
EC = signer("ES256")


@pytest.fixture
async def guarded(deployment: Deployment, key_server: KeyServer) -> AsyncIterator[Service]:
    key_server.publishes(*PUBLISHED)
    async with guarded_service(deployment, key_server.url, "calls:read") as service:
        yield service


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(logs._add_request_id)


@pytest.mark.parametrize(
    ("make", "check"),
    [
        (lambda: None, "no token"),
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
async def test_it_says_which_check_failed_for_which_request(
    guarded: Service, caplog: pytest.LogCaptureFixture, make: Callable[[], str | None], check: str
) -> None:
    # Made here, so that it has not expired however long the tests before took.
    await refused(guarded, make(), **{"x-request-id": "the-request"})
    refusal = await the_one(caplog, "server.auth")
    answered = await the_one(caplog, "server.requests")
    assert (refusal["message"], refusal["check"]) == ("token refused", check)
    assert answered["code"] == "UNAUTHENTICATED"
    assert {refusal["request_id"], answered["request_id"]} == {"the-request"}


async def test_it_says_which_scopes_were_missing(
    guarded: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await refused(guarded, RSA.token(scope="calls:write"))
    refusal = await the_one(caplog, "server.auth")
    assert (refusal["message"], refusal["scopes"]) == ("scopes missing", ["calls:read"])
    answered = await the_one(caplog, "server.requests")
    assert answered["code"] == "PERMISSION_DENIED"


async def test_it_says_nothing_of_a_token_whatever_becomes_of_it(
    guarded: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(guarded, good := RSA.token(scope="calls:read", sub="a-person"))
    bad = [
        RSA.token(sub="a-person"),
        RSA.token(exp=1, sub="a-person"),
        signer("RS256", "a-kid").token(sub="a-person"),
        good[:-20] + "A" * 20,
    ]
    for token in bad:
        await refused(guarded, token)
    logged = "\n".join(str(vars(line)) for line in caplog.records)
    for token in (good, *bad):
        for part in token.split("."):
            assert part[-16:] not in logged
            assert part[:16] not in logged
    for word in ("a-person", "a-kid", "Bearer"):
        assert word not in logged
