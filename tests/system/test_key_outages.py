"""The responses to callers while the key server is in trouble, and after it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from demo.readiness import wait_until
from tests.support.auth.tokens import all_signers, key_set, signer, token_settings
from tests.support.callers.faces import (
    ADMITTED,
    FACES,
    KEYS_UNAVAILABLE,
    TOKEN_INVALID,
    Outcome,
    RunStack,
    ask_rest,
)
from tests.support.server.deployments import Deployment
from tests.support.server.serve import database_away
from tests.support.server.stack import server_of
from tests.support.stand_ins.key_server import KeyServer

KNOWN = signer("RS256")
NEW = signer("RS256", "new")


def test_a_key_server_that_hangs(running: RunStack, key_server: KeyServer) -> None:
    with running(**token_settings(key_server.url)) as (stack, faces), ThreadPoolExecutor() as pool:
        remembered = f"Bearer {KNOWN.token()}"
        assert faces["gRPC"]([remembered]) == ADMITTED
        key_server.hangs()
        asked = key_server.requests
        waiting = pool.submit(faces["gRPC"], [f"Bearer {NEW.token()}"])
        assert wait_until(lambda: key_server.requests > asked, 10)

        for name in FACES:
            for shown in (remembered, *(f"Bearer {key.token()}" for key in all_signers())):
                assert faces[name]([shown]) == ADMITTED
        assert not waiting.done()

        assert waiting.result() == KEYS_UNAVAILABLE
        for name in FACES:
            assert faces[name]([f"Bearer {NEW.token()}"]) == KEYS_UNAVAILABLE
            assert faces[name]([f"Bearer {KNOWN.token(exp=1)}"]) == TOKEN_INVALID
        reply = ask_rest(stack.gateway.url, [f"Bearer {NEW.token()}"])
        assert (reply.status, reply.header("retry-after")) == (503, "1")

        key_server.publishes(KNOWN, NEW)
        assert wait_until(lambda: faces["REST"]([f"Bearer {NEW.token()}"]) == ADMITTED, 20)
        assert faces["REST"]([f"Bearer {signer('RS256', 'unknown').token()}"]) == TOKEN_INVALID


@pytest.mark.parametrize(
    ("status", "document"), [(500, b""), (200, b"<html>"), (200, b'{"keys": []}'), (302, b"")]
)
def test_a_key_server_that_answers_no_keys(
    running: RunStack, key_server: KeyServer, status: int, document: bytes
) -> None:
    with running(**token_settings(key_server.url)) as (_, faces):
        key_server.answers(status, document)
        for name in FACES:
            assert faces[name]([f"Bearer {NEW.token()}"]) == KEYS_UNAVAILABLE
            assert faces[name]([f"Bearer {KNOWN.token()}"]) == ADMITTED


def test_a_server_ends_at_once_while_the_key_server_hangs(
    running: RunStack, key_server: KeyServer
) -> None:
    with running(**token_settings(key_server.url)) as (stack, faces), ThreadPoolExecutor() as pool:
        key_server.hangs()
        asked = key_server.requests
        pool.submit(faces["gRPC"], [f"Bearer {NEW.token()}"])
        assert wait_until(lambda: key_server.requests > asked, 20)
        assert stack.server.stop() == 0
        assert "Traceback" not in stack.server.log()


def test_a_server_that_waits_for_its_first_keys_ends_at_once(
    deployment: Deployment, key_server: KeyServer, database_url: str, tmp_path: Path
) -> None:
    key_server.hangs()
    settings = {"DATABASE_URL": database_url, **deployment.settings, **token_settings(key_server.url)}
    server = server_of(tmp_path, settings, waits=False)
    try:
        assert wait_until(lambda: key_server.requests > 0, 60), server.log()
    finally:
        ended = server.stop()
    assert ended == 0
    assert "Traceback" not in server.log()


def test_who_is_refused_does_not_reach_the_database(running: RunStack, key_server: KeyServer) -> None:
    with running(**database_away(), **token_settings(key_server.url)) as (_, faces):
        for name in FACES:
            assert faces[name]([f"Bearer {KNOWN.token()}"]).message != KEYS_UNAVAILABLE.message
            assert faces[name]([f"Bearer {KNOWN.token()}"]).word == "unavailable"
            assert faces[name]([f"Bearer {KNOWN.token(exp=1)}"]) == TOKEN_INVALID


def test_keys_may_come_from_a_file(running: RunStack, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(key_set(KNOWN))
    settings = {**token_settings(""), "AUTH_JWKS_FILE": str(file)}
    with running(**settings) as (_, faces):
        assert faces["REST"]([f"Bearer {KNOWN.token()}"]) == ADMITTED
        file.write_bytes(key_set(NEW))
        assert faces["REST"]([f"Bearer {NEW.token()}"]) == ADMITTED
        assert faces["REST"]([f"Bearer {KNOWN.token()}"]) == TOKEN_INVALID


def test_a_required_scope(running: RunStack, key_server: KeyServer) -> None:
    settings = {**token_settings(key_server.url), "AUTH_SCOPES": "calls:read calls:all"}
    challenge = 'Bearer realm="livecalls", error="insufficient_scope", scope="calls:all calls:read"'
    with running(**settings) as (stack, faces):
        for name in FACES:
            assert faces[name]([f"Bearer {KNOWN.token(scp=['calls:all', 'calls:read'])}"]) == ADMITTED
            assert faces[name]([f"Bearer {KNOWN.token(scope='calls:read')}"]) == Outcome(
                "permission_denied", "The access token lacks a required scope.", challenge
            )
        reply = ask_rest(stack.gateway.url, [f"Bearer {KNOWN.token()}"])
        assert (reply.status, reply.body) == (
            403,
            b'{"error":"permission_denied","message":"The access token lacks a required scope."}',
        )
