"""The log of callers that were not admitted: which check, which request, and nothing of the token."""

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from server.runtime import logs
from tests.support.auth.forged_tokens import PUBLISHED
from tests.support.auth.guarded import ask, guarded_service, refused
from tests.support.auth.tokens import signer
from tests.support.machine.log import the_one
from tests.support.server.service import Deployment, Service
from tests.support.stand_ins.key_server import KeyServer

RSA = signer("RS256")


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
    ("make", "check"), [(lambda: None, "no token"), (lambda: RSA.token(exp=1), "ExpiredSignature")]
)
async def test_it_says_which_check_failed_for_which_request(
    guarded: Service, caplog: pytest.LogCaptureFixture, make: Callable[[], str | None], check: str
) -> None:
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
