from collections.abc import AsyncIterator

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.auth.guarded import ask, guarded_service, refused
from tests.support.auth.tokens import signer
from tests.support.server.service import Deployment, Service, detail_of, raw, trailer_of
from tests.support.stand_ins.key_server import KeyServer

METHODS = [
    f"/{service.full_name}/{method.name}"
    for service in pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.fixture
async def guarded(deployment: Deployment, key_server: KeyServer) -> AsyncIterator[Service]:
    async with guarded_service(deployment, key_server.url) as service:
        yield service


async def test_a_good_token_is_let_in(guarded: Service) -> None:
    assert (await ask(guarded, signer("RS256").token())).title == "Yoga"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("request_bytes", [b"", b"<html>"])
async def test_no_method_of_the_contract_answers_without_a_token(
    guarded: Service, method: str, request_bytes: bytes
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await raw(guarded, method, request_bytes)
    assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["", "livecalls.v1.LiveCalls"])
async def test_the_health_service_answers_without(guarded: Service, name: str) -> None:
    reply = await health_pb2_grpc.HealthStub(guarded.channel).Check(
        health_pb2.HealthCheckRequest(service=name)
    )
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_who_shows_no_token_is_told_to(guarded: Service) -> None:
    error = await refused(guarded, None)
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "An access token is required."
    assert detail_of(error, ErrorInfo) == ErrorInfo(reason="TOKEN_REQUIRED", domain="livecalls.v1")
    assert trailer_of(error, "www-authenticate") == b'Bearer realm="livecalls"'


@pytest.mark.parametrize(
    "token",
    [
        "x",
        signer("RS256").token(exp=1),
        signer("RS256").token(iss="other"),
        signer("RS256", "unknown").token(),
        signer("RS256", "another").token({"kid": "rs256"}),
    ],
    ids=["malformed", "expired", "another issuer's", "of an unknown key", "forged"],
)
async def test_who_shows_a_bad_one_is_told_so_and_not_why(guarded: Service, token: str) -> None:
    error = await refused(guarded, token)
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "The access token is not valid."
    assert detail_of(error, ErrorInfo) == ErrorInfo(reason="TOKEN_INVALID", domain="livecalls.v1")
    challenge = trailer_of(error, "www-authenticate")
    assert challenge == b'Bearer realm="livecalls", error="invalid_token"'


async def test_a_missing_scope_is_a_denied_permission(
    deployment: Deployment, key_server: KeyServer
) -> None:
    async with guarded_service(deployment, key_server.url, "a", "b") as service:
        for granted in ({}, {"scope": "a"}, {"scp": ["b"]}, {"scope": "ab"}, {"scp": ["a b"]}):
            error = await refused(service, signer("RS256").token(**granted))
            assert error.code() == grpc.StatusCode.PERMISSION_DENIED
            assert error.details() == "The access token lacks a required scope."
            assert detail_of(error, ErrorInfo).reason == "SCOPE_MISSING"
            assert trailer_of(error, "www-authenticate") == (
                b'Bearer realm="livecalls", error="insufficient_scope", scope="a b"'
            )


async def test_all_required_scopes_let_in_wherever_they_are_said(
    deployment: Deployment, key_server: KeyServer
) -> None:
    async with guarded_service(deployment, key_server.url, "a", "b") as service:
        for granted in ({"scope": "b a c"}, {"scope": "a", "scp": ["b"]}):
            assert await ask(service, signer("RS256").token(**granted))


async def test_keys_that_cannot_be_read_are_worth_another_try(
    deployment: Deployment, key_server: KeyServer
) -> None:
    key_server.answers(500)
    async with guarded_service(deployment, key_server.url) as service:
        error = await refused(service, signer("RS256").token())
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert error.details() == "Access tokens cannot be checked right now. Try again shortly."
        assert detail_of(error, ErrorInfo).reason == "KEYS_UNAVAILABLE"
        assert detail_of(error, RetryInfo).retry_delay.seconds == 1
        assert "www-authenticate" not in dict(error.trailing_metadata() or ())


async def test_a_known_and_an_unknown_call_are_the_same_to_who_is_not_let_in(guarded: Service) -> None:
    known = await refused(guarded, None, **{"x-request-id": "the-same"})
    guarded.ports.answer = None
    unknown = await refused(guarded, None, **{"x-request-id": "the-same"})
    assert known.details() == unknown.details()
    assert known.trailing_metadata() == unknown.trailing_metadata()
