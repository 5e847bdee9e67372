"""The responses to callers with opaque tokens, on both carriers, by those of a real issuer."""

from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from server.config.tokens import TokenSettings
from tests.support.auth.guarded import ask, refused
from tests.support.auth.introspected import introspected_service, invalid
from tests.support.auth.tokens import AUDIENCE, ISSUER, signer
from tests.support.server.service import Deployment, Service, detail_of, trailer_of
from tests.support.stand_ins.introspection_server import (
    IntrospectionServer,
)

GOOD = "lph_at_good"


@pytest.mark.parametrize("token", [GOOD, "~a+b/c.d_e-f==", signer("RS256").token()], ids=len)
async def test_an_active_token_is_let_in_whatever_its_form(
    introspected: Service, introspection_server: IntrospectionServer, token: str
) -> None:
    introspection_server.knows(token, token_type="Bearer", sub="a", client_id="b")  # noqa: S106
    for _ in range(3):
        assert (await ask(introspected, token)).title == "Yoga"
    assert introspection_server.asked == {token: 1}


async def test_any_other_is_refused_and_not_asked_about_again_for_a_while(
    introspected: Service, introspection_server: IntrospectionServer
) -> None:
    introspection_server.knows(GOOD)
    for _ in range(3):
        await invalid(introspected, f"{GOOD}x")
    assert introspection_server.asked == {f"{GOOD}x": 1}


async def test_scopes_are_required_as_ever(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    async with introspected_service(deployment, introspection_server.url, "a", "b") as service:
        assert await ask(service, introspection_server.knows(GOOD, scope="c b a"))
        for granted in ("", "a", "ab", None):
            error = await refused(service, introspection_server.knows(f"less-{granted}", scope=granted))
            assert error.code() == grpc.StatusCode.PERMISSION_DENIED
            assert detail_of(error, ErrorInfo).reason == "SCOPE_MISSING"
            assert trailer_of(error, "www-authenticate") == (
                b'Bearer realm="livecalls", error="insufficient_scope", scope="a b"'
            )


@pytest.mark.parametrize(
    ("claims", "is_let_in"),
    [
        ({}, True),
        ({"iss": ISSUER, "aud": ["another", AUDIENCE]}, True),
        ({"iss": "https://another.example"}, False),
        ({"iss": ISSUER, "aud": "another"}, False),
        ({"exp": 1}, False),
    ],
    ids=str,
)
async def test_an_answer_for_another_is_refused(
    deployment: Deployment,
    introspection_server: IntrospectionServer,
    claims: dict[str, Any],
    is_let_in: bool,
) -> None:
    accepted = TokenSettings(issuer=(ISSUER,), audience=(AUDIENCE,))
    async with introspected_service(deployment, introspection_server.url, accepted=accepted) as service:
        introspection_server.knows(GOOD, **claims)
        if is_let_in:
            assert await ask(service, GOOD)
        else:
            await invalid(service, GOOD)


async def test_issuer_and_audience_may_be_required(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    async with introspected_service(
        deployment,
        introspection_server.url,
        accepted=TokenSettings(issuer=(ISSUER,), audience=(AUDIENCE,)),
        require="iss aud",
    ) as service:
        assert await ask(service, introspection_server.knows("whole", iss=ISSUER, aud=AUDIENCE))
        await invalid(service, introspection_server.knows("no-aud", iss=ISSUER))
        await invalid(service, introspection_server.knows("no-iss", aud=AUDIENCE))
