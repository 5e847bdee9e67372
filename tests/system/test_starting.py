"""Nobody runs an open server without having configured that."""

from typing import Any

import pytest

from tests.support.auth.tokens import token_settings
from tests.support.machine.commands import run_process
from tests.support.server.stack import Stack
from tests.support.stand_ins.key_server import KeyServer

REFUSED = (
    "Error: It is not set who may call: set AUTH_ISSUER and AUTH_AUDIENCE, or AUTH_INTROSPECTION_URL, "
    "or AUTH=off to let everybody in\n"
)
ALLOWED = "must be https://, or http:// on this machine; AUTH_PLAIN_HTTP=on allows http:// to others"


@pytest.mark.parametrize("settings", [{}, {"AUTH": "on"}, {"AUTH": ""}, {"AUTH_SCOPES": "a"}], ids=repr)
def test_a_server_that_is_not_told_who_may_call_does_not_start(settings: dict[str, Any]) -> None:
    ended = run_process("serve", DATABASE_URL="postgresql://localhost/none", GRPC_PORT="0", **settings)
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (1, b"", REFUSED)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"AUTH_ISSUER": ""}, "AUTH_JWKS_URL and AUTH_JWKS_FILE need AUTH_ISSUER, whose keys they are"),
        (
            {"AUTH_AUDIENCE": ""},
            "AUTH_ISSUER needs AUTH_AUDIENCE; AUTH_AUDIENCE_CLAIM=none accepts tokens for anybody",
        ),
        (
            {"AUTH_JWKS_URL": "http://127.0.0.2/keys"},
            f"AUTH_JWKS_URL: {ALLOWED}",
        ),
    ],
    ids=repr,
)
def test_nor_one_that_is_half_told(key_server: KeyServer, changed: dict[str, str], line: str) -> None:
    settings: dict[str, Any] = {**token_settings(key_server.url), **changed}
    ended = run_process("serve", **settings)
    assert (ended.returncode, ended.stderr.decode()) == (1, f"Error: {line}\n")
    assert key_server.requests == 0


@pytest.mark.parametrize("embedded", [(), ("--embedded",)])
def test_nor_one_with_an_address_of_stream_that_is_none(embedded: tuple[str, ...]) -> None:
    ended = run_process(
        "serve",
        *embedded,
        AUTH="off",
        DATABASE_URL="postgresql://localhost/none",
        STREAM_API_KEY="key",
        STREAM_API_SECRET="secret",  # noqa: S106 - none
        STREAM_BASE_URL="video.stream-io-api.com",
    )
    assert (ended.returncode, ended.stdout, ended.stderr.decode()) == (
        1,
        b"",
        "Error: STREAM_BASE_URL: must be an https:// URL, or http:// on this machine\n",
    )


def test_an_open_server_says_so_in_its_log(stack: Stack) -> None:
    lines = [line for line in stack.server.lines() if "AUTH=off" in line["message"]]
    assert {line["level"] for line in lines} == {"WARNING"}


def test_a_closed_one_has_nothing_to_say(guarded_stack: Stack) -> None:
    assert "AUTH=off" not in guarded_stack.server.log()
