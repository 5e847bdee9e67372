"""`make run TOKENS=opaque`: tokens that the server introspects, and that can be revoked."""

import re
import subprocess
import sys
from collections.abc import Iterator

import grpc
import httpx
import pytest
from livecalls.v1.live_calls_pb2 import GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.ports import free_port
from demo.readiness import wait_until
from demo.sample_calls import sample_id
from tests.support.auth.tokens import bearer
from tests.support.server.demo import READY, RunningDemo, pasted, running_demo, started_demo
from tests.support.server.deployments import Deployment


@pytest.fixture(scope="module")
def opaque_demo(deployment: Deployment) -> Iterator[RunningDemo]:
    with running_demo(TOKENS="opaque", **deployment.settings) as demo:
        yield demo


@pytest.fixture(scope="module")
def strict_demo(deployment: Deployment) -> Iterator[RunningDemo]:
    """With TLS, required scopes, and another time for which responses are cached."""
    settings = {
        "AUTH_SCOPES": "calls:read",
        "AUTH_INTROSPECTION_CACHE_TTL_MS": "700",
        **deployment.settings,
    }
    with running_demo("--tls", "--tokens", "opaque", **settings) as demo:
        yield demo


def printed(demo: RunningDemo, pattern: str) -> str:
    (found,) = re.findall(pattern, demo.output(), re.MULTILINE | re.DOTALL)
    return str(found)


def another_token(demo: RunningDemo, *options: str) -> str:
    command = [sys.executable, "-m", "demo", "token", *options]
    return subprocess.check_output(command, cwd=demo.folder, text=True).strip()


def by_rest(demo: RunningDemo, token: str) -> int:
    return httpx.get(demo.call_url(2), headers=bearer(token)).status_code


def by_grpc(demo: RunningDemo, token: str) -> grpc.StatusCode:
    request, metadata = GetCallRequest(id=str(sample_id(2))), tuple(bearer(token).items())
    with grpc.insecure_channel(f"127.0.0.1:{demo.grpc_port}") as channel:
        try:
            LiveCallsStub(channel).GetCall(request, timeout=5, metadata=metadata)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK


def curl_with(demo: RunningDemo, token: str) -> str:
    curl = printed(demo, r"^  (curl -i [^\n]*)$")
    return pasted(f"export ACCESS_TOKEN={token}\n{curl}")


def revoke(demo: RunningDemo, token: str) -> None:
    curl = printed(demo, r"^  (curl -d token=[^\n]*)$")
    assert "HTTP/1.1 200 OK" in pasted(f"export ACCESS_TOKEN={token}\n{curl}")


def test_what_it_prints_can_be_pasted(opaque_demo: RunningDemo, strict_demo: RunningDemo) -> None:
    for demo in (opaque_demo, strict_demo):
        token = printed(demo, r"^  (export ACCESS_TOKEN=demo_at_[^\n]*)$")
        curl = printed(demo, r"^  (curl -i [^\n]*)$")
        python = printed(demo, r"^\S+ - <<'PYTHON'\n.*?^PYTHON$")
        assert re.match(r"HTTP/\S+ 200", pasted(f"{token}\n{curl}"))
        assert "is_live: true" in pasted(f"{token}\n{python}")


def test_a_revoked_token_gets_in_no_more_and_others_do(opaque_demo: RunningDemo) -> None:
    token = another_token(opaque_demo)
    assert by_rest(opaque_demo, token) == 200
    assert by_grpc(opaque_demo, token) is grpc.StatusCode.OK
    revoke(opaque_demo, token)
    assert wait_until(lambda: by_rest(opaque_demo, token) == 401, 60)
    assert by_grpc(opaque_demo, token) is grpc.StatusCode.UNAUTHENTICATED
    assert by_rest(opaque_demo, opaque_demo.token) == 200


def test_its_issuer_is_there_before_the_server_asks(opaque_demo: RunningDemo) -> None:
    assert wait_until(lambda: "tokens can be introspected" in opaque_demo.output(), 10)
    assert "cannot be introspected" not in opaque_demo.output().split(READY)[0]


def test_it_names_the_time_that_a_server_remembers(
    opaque_demo: RunningDemo, strict_demo: RunningDemo
) -> None:
    assert "remembers the answer for\n5 s." in opaque_demo.output()
    assert "remembers the answer for\n0.7 s." in strict_demo.output()


def test_tokens_of_others_and_signed_ones_get_nobody_in(opaque_demo: RunningDemo) -> None:
    signed = another_token(opaque_demo, "--tokens", "jwt")
    assert signed.count(".") == 2
    for token in (signed, "demo_at_x", opaque_demo.token[:-1]):
        assert by_rest(opaque_demo, token) == 401


def test_scopes_that_are_asked_for_are_needed(strict_demo: RunningDemo) -> None:
    refused = curl_with(strict_demo, another_token(strict_demo))
    assert re.match(r"HTTP/\S+ 403", refused)
    assert 'error="insufficient_scope"' in refused
    granted = another_token(strict_demo, "--scopes", "more calls:read")
    assert re.match(r"HTTP/\S+ 200", curl_with(strict_demo, granted))
    revoke(strict_demo, granted)
    assert wait_until(lambda: bool(re.match(r"HTTP/\S+ 401", curl_with(strict_demo, granted))), 60)


def test_a_killed_issuer_comes_back_and_knows_its_tokens(opaque_demo: RunningDemo) -> None:
    revoked, good = another_token(opaque_demo), another_token(opaque_demo)
    revoke(opaque_demo, revoked)
    killed = opaque_demo.part("issuer")
    assert killed
    killed.kill()
    assert wait_until(lambda: (opaque_demo.part("issuer") or killed) != killed, 20)
    assert wait_until(lambda: by_rest(opaque_demo, good) == 200, 60)
    assert by_rest(opaque_demo, revoked) == 401


def test_without_its_issuer_nobody_new_gets_in_or_is_called_a_stranger(opaque_demo: RunningDemo) -> None:
    issuer = opaque_demo.part("issuer")
    assert issuer
    token = another_token(opaque_demo)
    issuer.suspend()
    try:
        assert by_rest(opaque_demo, token) == 503
    finally:
        issuer.resume()
    assert wait_until(lambda: by_rest(opaque_demo, token) == 200, 60)


@pytest.mark.parametrize(
    "settings",
    [
        {"AUTH": "off"},
        {
            "AUTH_ISSUER": "https://issuer.example.com",
            "AUTH_AUDIENCE": "livecalls",
            "AUTH_JWKS_URL": "https://issuer.example.com/keys",
        },
    ],
    ids=["nobody's", "another's"],
)
def test_only_the_demo_s_own_issuer_can_be_chosen(settings: dict[str, str]) -> None:
    with started_demo(free_port(), free_port(), settings={"TOKENS": "opaque", **settings}) as demo:
        assert wait_until(lambda: demo.process.poll() is not None, 20)
        assert demo.output() == (
            "Error: TOKENS=opaque is for the demo's own issuer: leave AUTH=off and AUTH_… out\n"
        )
