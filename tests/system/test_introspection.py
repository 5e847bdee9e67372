"""Opaque tokens and signed ones at the same service, on all APIs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from tests.support.auth.introspected import server_settings
from tests.support.auth.tokens import AUDIENCE, ISSUER, signer, token_settings
from tests.support.callers.faces import (
    ADMITTED,
    FACES,
    INTROSPECTION_UNAVAILABLE,
    TOKEN_INVALID,
    Face,
    Outcome,
    ask_rest,
    faces_of,
)
from tests.support.database.postgres import store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.introspection_server import CLIENT_SECRET, IntrospectionServer
from tests.support.stand_ins.key_server import KeyServer

SCOPE = "calls:read"
CHALLENGE = f'Bearer realm="livecalls", error="insufficient_scope", scope="{SCOPE}"'
SCOPE_MISSING = Outcome("permission_denied", "The access token lacks a required scope.", CHALLENGE)


Run = Callable[..., AbstractContextManager[tuple[Stack, dict[str, Face]]]]


@pytest.fixture
def running(
    deployment: Deployment, shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> Run:
    """Runs a stack of the test's own, with one stored call and with settings."""
    store_call(database_url)

    @contextmanager
    def run(settings: dict[str, str]) -> Iterator[tuple[Stack, dict[str, Face]]]:
        settings = {"DATABASE_URL": database_url, **deployment.settings, **settings}
        with stack_running(shared_postgres, tmp_path, **settings) as stack, faces_of(stack) as faces:
            yield stack, faces

    return run


def test_signed_and_opaque_tokens_each_by_their_own_check(
    running: Run, key_server: KeyServer, introspection_server: IntrospectionServer
) -> None:
    server = introspection_server
    settings = {
        **token_settings(key_server.url),
        **server_settings(server.url),
        "AUTH_INTROSPECTION_CACHE_TTL_MS": "600000",
        "AUTH_SCOPES": SCOPE,
        "LOG_LEVEL": "DEBUG",
    }
    signed = signer("RS256").token(scope=SCOPE)
    opaque = server.knows("lph_at_good", scope=SCOPE, token_type="Bearer", sub="a-person")  # noqa: S106
    forged = server.knows(signer("RS256", "another").token({"kid": "rs256"}, scope=SCOPE), scope=SCOPE)
    expired = server.knows(signer("RS256").token(scope=SCOPE, exp=1), scope=SCOPE)
    padded = server.knows(f"{expired}==", scope=SCOPE)
    with running(settings) as (stack, faces):
        for name in FACES:
            ask = faces[name]
            for good in (signed, opaque):
                assert ask([f"Bearer {good}"]) == ADMITTED
            for bad in (forged, expired, "lph_at_bad", f"{opaque}x", padded):
                assert ask([f"Bearer {bad}"]) == TOKEN_INVALID
            assert ask([f"Bearer {server.knows('lph_at_less', scope='x')}"]) == SCOPE_MISSING
        assert not any(server.asked[token] for token in (forged, expired, padded, signed))
        assert rest_reply(stack, "lph_at_bad") == (401, "unauthenticated", None)
        assert rest_reply(stack, "lph_at_less") == (403, "permission_denied", None)

        server.answers(500)
        for name in FACES:
            assert faces[name](["Bearer lph_at_new"]) == INTROSPECTION_UNAVAILABLE
            assert faces[name]([f"Bearer {opaque}"]) == ADMITTED
        assert rest_reply(stack, "lph_at_new") == (503, "unavailable", "1")
        assert wait_until(lambda: bool(stack.server.logged("tokens cannot be introspected")), 60)
        for secret in ("lph_at", "a-person", CLIENT_SECRET, "Basic "):
            assert secret not in stack.server.log()


def rest_reply(stack: Stack, token: str) -> tuple[int, str, str | None]:
    """Send a request by REST; return the status, the error and Retry-After."""
    reply = ask_rest(stack.gateway.url, [f"Bearer {token}"])
    return reply.status, reply.json()["error"], reply.header("retry-after")


def test_an_answer_for_another_client_audience_or_issuer_lets_nobody_in(
    running: Run, introspection_server: IntrospectionServer
) -> None:
    server = introspection_server
    settings = {
        **server_settings(server.url),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": "our-app",
        "AUTH_AUDIENCE_CLAIM": "client_id",
        "AUTH_INTROSPECTION_REQUIRE": "client_id",
    }
    good = server.knows("lph_at_ours", client_id="our-app", iss=ISSUER)
    bad = [
        server.knows("lph_at_theirs", client_id="their-app", iss=ISSUER),
        server.knows("lph_at_audience", client_id="their-app", aud="our-app"),
        server.knows("lph_at_elsewhere", client_id="our-app", iss=f"{ISSUER}/other"),
        server.knows("lph_at_nobodys", iss=ISSUER),
        server.knows("lph_at_refresh", client_id="our-app", token_use="refresh_token"),  # noqa: S106
    ]
    with running(settings) as (_, faces):
        for name in FACES:
            assert faces[name]([f"Bearer {good}"]) == ADMITTED
            for token in bad:
                assert faces[name]([f"Bearer {token}"]) == TOKEN_INVALID, token


def test_an_issuer_alone_names_its_keys_and_its_introspection_endpoint(
    running: Run, key_server: KeyServer, introspection_server: IntrospectionServer
) -> None:
    issuer = key_server.origin
    key_server.describes(issuer, introspection_endpoint=introspection_server.url)
    settings = {
        **server_settings(introspection_server.url),
        "AUTH_INTROSPECTION_URL": "",
        "AUTH_ISSUER": issuer,
        "AUTH_AUDIENCE": AUDIENCE,
    }
    signed = signer("RS256").token(iss=issuer)
    forged = signer("RS256", "forger").token({"kid": "rs256"}, iss=issuer)
    opaque = introspection_server.knows("lph_at_good")
    with running(settings) as (_, faces):
        for name in FACES:
            for good in (signed, opaque):
                assert faces[name]([f"Bearer {good}"]) == ADMITTED
            for bad in (forged, "lph_at_bad"):
                assert faces[name]([f"Bearer {bad}"]) == TOKEN_INVALID


def test_introspection_alone_is_enough(running: Run, introspection_server: IntrospectionServer) -> None:
    token = introspection_server.knows(signer("RS256").token())
    with running(server_settings(introspection_server.url)) as (stack, faces):
        for name in FACES:
            assert faces[name]([f"Bearer {token}"]) == ADMITTED
        assert introspection_server.asked[token] == 1
        assert wait_until(lambda: bool(stack.server.logged("tokens can be introspected")), 60)
