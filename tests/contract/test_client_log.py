"""The caller's client in the log of requests, of signed and of introspected tokens."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.auth.claims import TokenRules
from server.config.tokens import TokenSettings
from tests.support.auth.guarded import ask, guarded_service, refused
from tests.support.auth.introspected import introspected_service
from tests.support.auth.tokens import AUDIENCE, signer
from tests.support.machine.log import the_one
from tests.support.server.service import Deployment, Service
from tests.support.stand_ins.introspection_server import IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer

RSA = signer("RS256")
OPAQUE = "lph_at_good"


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.fixture
async def guarded(deployment: Deployment, key_server: KeyServer) -> AsyncIterator[Service]:
    key_server.publishes(RSA)
    async with guarded_service(deployment, key_server.url, "calls:read") as service:
        yield service


@pytest.fixture
async def introspected(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> AsyncIterator[Service]:
    async with introspected_service(deployment, introspection_server.url, "calls:read") as service:
        yield service


async def answered(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    line = await the_one(caplog, "server.requests")
    caplog.clear()
    return line


async def test_it_is_that_of_a_signed_token_each_time(
    guarded: Service, caplog: pytest.LogCaptureFixture
) -> None:
    token = RSA.token(scope="calls:read", azp="web-app", sub="a-person")
    for _ in range(2):
        await ask(guarded, token)
        line = await answered(caplog)
        assert (line["code"], line["client"]) == ("OK", "web-app")
        assert "a-person" not in str(line)


async def test_it_is_that_of_an_introspected_token_each_time(
    introspected: Service, introspection_server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    introspection_server.knows(OPAQUE, scope="calls:read", client_id="web-app", sub="a-person")
    for _ in range(2):
        await ask(introspected, OPAQUE)
        line = await answered(caplog)
        assert (line["code"], line["client"]) == ("OK", "web-app")
        assert "a-person" not in str(line)


async def test_it_is_shown_if_the_token_lacks_a_scope(
    guarded: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await refused(guarded, RSA.token(client_id="batch"))
    line = await answered(caplog)
    assert (line["code"], line["client"]) == ("PERMISSION_DENIED", "batch")


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "other"}], ids=["expired", "for another"])
async def test_nothing_of_a_token_that_is_refused_is_shown(
    guarded: Service, caplog: pytest.LogCaptureFixture, claims: dict[str, Any]
) -> None:
    await ask(guarded, RSA.token(scope="calls:read", client_id="web-app"))
    await answered(caplog)
    await refused(guarded, RSA.token(scope="calls:read", client_id="web-app", **claims))
    line = await answered(caplog)
    assert line["code"] == "UNAUTHENTICATED"
    assert "client" not in line


async def test_a_hostile_one_is_cut_and_can_forge_no_line(
    guarded: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await ask(guarded, RSA.token(scope="calls:read", client_id='a" code=OK\n{"\x1b[2J\u2028é' * 20))
    line = await answered(caplog)
    assert line["client"].startswith('a"?code=OK?{"?[2J??a"?code=OK')
    assert len(line["client"]) == 100


async def test_the_claim_is_set(
    deployment: Deployment, key_server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    key_server.publishes(RSA)
    rules = TokenRules((AUDIENCE,), client_claims=("appid", "azp"))
    async with guarded_service(deployment, key_server.url, rules=rules) as service:
        await ask(service, RSA.token(client_id="one", azp="two", appid="three"))
        assert (await answered(caplog))["client"] == "three"
        await ask(service, RSA.token(client_id="one", azp="two"))
        assert (await answered(caplog))["client"] == "two"


async def test_none_is_shown_on_purpose(
    deployment: Deployment, introspection_server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    accepted = TokenSettings(client_claims=("none",))
    async with introspected_service(deployment, introspection_server.url, accepted=accepted) as service:
        await ask(service, introspection_server.knows(OPAQUE, client_id="web-app"))
        assert "client" not in await answered(caplog)
