"""The responses to callers with opaque tokens, on both carriers, by those of a real issuer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from server.auth.issuer_answer import MAX_BYTES
from server.config.tokens import TokenSettings
from tests.support.auth.guarded import ask, refused
from tests.support.auth.introspected import CREDENTIALS, introspected_service
from tests.support.auth.tokens import AUDIENCE, ISSUER, signer
from tests.support.machine.clock import Clock
from tests.support.server.service import Deployment, Service, Standalone, detail_of, trailer_of
from tests.support.stand_ins.introspection_server import (
    CLIENT_SECRET,
    OWN_TOKEN,
    PATH,
    IntrospectionServer,
)
from tests.support.stand_ins.stream import closed_port

GOOD = "lph_at_good"
Misbehave = Callable[[IntrospectionServer], None]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def service(
    deployment: Deployment, introspection_server: IntrospectionServer, clock: Clock
) -> AsyncIterator[Service]:
    async with introspected_service(deployment, introspection_server.url, clock=clock) as service:
        yield service


async def unavailable(service: Service, token: str) -> None:
    """Request a call in vain, because the issuer does not respond."""
    error = await refused(service, token)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert error.details() == "Access tokens cannot be checked right now. Try again shortly."
    info = ErrorInfo(reason="INTROSPECTION_UNAVAILABLE", domain="livecalls.v1")
    assert detail_of(error, ErrorInfo) == info
    assert detail_of(error, RetryInfo).retry_delay.seconds == 1
    assert "www-authenticate" not in dict(error.trailing_metadata() or ())


async def invalid(service: Service, token: str) -> None:
    """Request a call in vain, with an invalid token."""
    error = await refused(service, token)
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "The access token is not valid."
    assert detail_of(error, ErrorInfo).reason == "TOKEN_INVALID"
    challenge = trailer_of(error, "www-authenticate")
    assert challenge == b'Bearer realm="livecalls", error="invalid_token"'


@pytest.mark.parametrize("token", [GOOD, "~a+b/c.d_e-f==", signer("RS256").token()], ids=len)
async def test_an_active_token_is_let_in_whatever_its_form(
    service: Service, introspection_server: IntrospectionServer, token: str
) -> None:
    introspection_server.knows(token, token_type="Bearer", sub="a", client_id="b")  # noqa: S106
    for _ in range(3):
        assert (await ask(service, token)).title == "Yoga"
    assert introspection_server.asked == {token: 1}


async def test_any_other_is_refused_and_not_asked_about_again_for_a_while(
    service: Service, introspection_server: IntrospectionServer
) -> None:
    introspection_server.knows(GOOD)
    for _ in range(3):
        await invalid(service, f"{GOOD}x")
    assert introspection_server.asked == {f"{GOOD}x": 1}


async def test_a_token_is_sent_in_the_body_alone(
    service: Service, introspection_server: IntrospectionServer
) -> None:
    await ask(service, introspection_server.knows(GOOD))
    assert introspection_server.forms == [{"token": GOOD, "token_type_hint": "access_token"}]
    assert introspection_server.paths == [PATH]
    (headers,) = introspection_server.headers
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"].startswith("application/json")
    assert GOOD not in str(headers)


@pytest.mark.parametrize("auth", CREDENTIALS)
async def test_the_server_shows_who_it_is_as_it_is_set_to(deployment: Deployment, auth: str) -> None:
    server = IntrospectionServer(auth)
    with server.running():
        async with introspected_service(deployment, server.url, **CREDENTIALS[auth]) as service:
            assert await ask(service, server.knows(GOOD))
        for other in CREDENTIALS.keys() - {auth}:
            async with introspected_service(deployment, server.url, **CREDENTIALS[other]) as service:
                await unavailable(service, GOOD)


async def test_its_own_token_may_change_in_its_file(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("another\n")
    server = IntrospectionServer("bearer")
    with server.running():
        async with introspected_service(
            deployment, server.url, auth="bearer", token_file=file
        ) as service:
            await unavailable(service, server.knows(GOOD))
            file.write_text(f"{OWN_TOKEN}\n")
            assert await ask(service, GOOD)


@pytest.mark.parametrize("content", [b"", b"a b", b"a\nx: y", b"\xff", None])
async def test_what_is_no_token_in_it_is_not_sent(
    deployment: Deployment, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
) -> None:
    file = tmp_path / "token"
    file.touch()
    server = IntrospectionServer("bearer")
    with server.running():
        async with introspected_service(
            deployment, server.url, auth="bearer", token_file=file
        ) as service:
            file.write_bytes(content) if content is not None else file.unlink()
            await unavailable(service, server.knows(GOOD))
    assert server.requests == 0
    (reason,) = (vars(line)["reason"] for line in caplog.records if line.name == "server.auth")
    assert reason.startswith("AUTH_INTROSPECTION_TOKEN_FILE ")


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
        ({"iss": ISSUER, "aud": AUDIENCE}, True),
        ({"iss": ISSUER, "aud": ["another", AUDIENCE]}, True),
        ({"iss": "https://another.example"}, False),
        ({"aud": "another"}, False),
        ({"aud": []}, False),
        ({"iss": ISSUER, "aud": "another"}, False),
        ({"exp": 1}, False),
        ({"nbf": 9_999_999_999}, False),
        ({"token_type": "DPoP"}, False),
        ({"active": False}, False),
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


def answering(status: int) -> Misbehave:
    return lambda server: server.answers(status, b'{"active": true}')


FAILURES: dict[str, Misbehave] = {
    **{
        str(status): answering(status)
        for status in (201, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503)
    },
    "HTML": lambda server: server.answers(200, b"<html>", **{"content-type": "text/html"}),
    "nothing": lambda server: server.answers(200),
    "no JSON": lambda server: server.answers(200, b'{"active": true'),
    "a list": lambda server: server.answers(200, b'[{"active": true}]'),
    "no active": lambda server: server.answers(200, b'{"token": "good"}'),
    "active is a text": lambda server: server.answers(200, b'{"active": "true"}'),
    "active is a number": lambda server: server.answers(200, b'{"active": 1}'),
    "huge": lambda server: server.answers(200, b'{"active": true}' + b" " * MAX_BYTES),
    "hangs up": IntrospectionServer.hangs_up,
}


@pytest.mark.parametrize("misbehave", FAILURES.values(), ids=FAILURES)
async def test_without_an_answer_of_use_nobody_new_gets_in_and_known_ones_go_on(
    service: Service, introspection_server: IntrospectionServer, misbehave: Misbehave
) -> None:
    await ask(service, introspection_server.knows(GOOD))
    misbehave(introspection_server)
    await unavailable(service, introspection_server.knows("new"))
    assert await ask(service, GOOD)


async def test_an_issuer_that_hangs_is_given_up(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    introspection_server.hangs()
    async with introspected_service(deployment, introspection_server.url, timeout_ms=200) as service:
        await unavailable(service, introspection_server.knows(GOOD))


async def test_nor_do_they_if_the_issuer_is_away(deployment: Deployment) -> None:
    async with introspected_service(deployment, f"http://127.0.0.1:{closed_port()}/") as service:
        await unavailable(service, GOOD)


async def test_known_ones_go_on_until_their_time_is_over(
    service: Service, introspection_server: IntrospectionServer, clock: Clock
) -> None:
    await ask(service, introspection_server.knows(GOOD))
    introspection_server.answers(500)
    clock.now = 29.9
    assert await ask(service, GOOD)
    clock.now = 30
    await unavailable(service, GOOD)


async def test_a_revoked_token_is_refused_once_its_time_is_over(
    service: Service, introspection_server: IntrospectionServer, clock: Clock
) -> None:
    await ask(service, introspection_server.knows(GOOD))
    introspection_server.revokes(GOOD)
    clock.now = 23.9
    assert await ask(service, GOOD)
    clock.now = 30
    await invalid(service, GOOD)


async def test_without_a_cache_it_is_refused_at_once(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    async with introspected_service(deployment, introspection_server.url, cache_ttl_ms=0) as service:
        await ask(service, introspection_server.knows(GOOD))
        introspection_server.revokes(GOOD)
        await invalid(service, GOOD)


async def test_retry_after_is_obeyed(
    service: Service, introspection_server: IntrospectionServer, clock: Clock
) -> None:
    introspection_server.answers(429, b"", **{"retry-after": "20"})
    await unavailable(service, introspection_server.knows(GOOD))
    introspection_server.is_well()
    for clock.now in (1, 19.9, 39.9):
        await unavailable(service, GOOD)
    assert introspection_server.requests == 1
    clock.now = 40
    assert await ask(service, GOOD)


async def test_an_issuer_that_keeps_failing_is_left_alone_for_a_while(
    service: Service, introspection_server: IntrospectionServer, clock: Clock
) -> None:
    introspection_server.answers(503)
    introspection_server.knows(GOOD)
    for _ in range(20):
        await unavailable(service, GOOD)
    assert introspection_server.requests == 5
    introspection_server.is_well()
    clock.now = 2
    assert await ask(service, GOOD)


async def test_many_callers_with_one_token_are_one_request_that_no_caller_ends(
    introspection_server: IntrospectionServer,
) -> None:
    introspection_server.knows(GOOD)
    introspection_server.hangs()
    async with introspected_service(Standalone(), introspection_server.url) as service:
        first, *others = (asyncio.ensure_future(ask(service, GOOD)) for _ in range(30))
        async with asyncio.timeout(60):
            while introspection_server.requests == 0:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.005)
        first.cancel()
        introspection_server.is_well()
        assert len(await asyncio.gather(*others)) == 29
    assert introspection_server.requests == 1


async def test_the_log_is_loud_and_has_no_token_and_no_credentials(
    service: Service, introspection_server: IntrospectionServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await ask(service, introspection_server.knows(GOOD, sub="a-person", username="a-name"))
    await invalid(service, "lph_at_bad")
    introspection_server.auth = "none"
    for token in ("lph_at_new", "lph_at_newer"):
        await unavailable(service, token)
    lines = [line for line in caplog.records if line.name == "server.auth"]
    assert [(line.levelname, line.message) for line in lines] == [
        ("INFO", "token refused"),
        ("ERROR", "introspection refuses the server's own credentials"),
    ]
    assert vars(lines[0])["check"] == "inactive"
    logged = "\n".join(str(vars(line)) for line in caplog.records)
    for secret in ("lph_at", "a-person", "a-name", CLIENT_SECRET, "Basic "):
        assert secret not in logged
