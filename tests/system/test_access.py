"""Who may call the demo: with which tokens, and with the user's own settings."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import jwt
import pytest

from demo.sample_calls import sample_id
from tests.support.auth.introspected import server_settings
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID
from tests.support.server.demo import RunningDemo, running_demo
from tests.support.server.deployments import Deployment
from tests.support.stand_ins.introspection_server import IntrospectionServer

ROOT = Path(__file__).parents[2]


def status_with(demo: RunningDemo, token: str, call_id: str = str(sample_id(2))) -> int:
    url = f"{demo.url}/v1/live/calls/{call_id}"
    return httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code


def token_of(demo: RunningDemo, *options: str) -> str:
    command = [sys.executable, "-m", "demo", "token", *options]
    return subprocess.check_output(command, cwd=demo.folder, text=True).strip()


def test_nobody_gets_in_without_a_token(demo: RunningDemo) -> None:
    reply = httpx.get(demo.call_url(2))
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="livecalls"'
    assert reply.json() == {"error": "unauthenticated", "message": "An access token is required."}


def test_the_metrics_are_where_it_says(demo: RunningDemo) -> None:
    (url,) = re.findall(r"^  stats  (\S+)/metrics", demo.output(), re.MULTILINE)
    assert b"livecalls_build_info" in ask(url, "GET", "/metrics").body


def test_a_fresh_token_gets_in(demo: RunningDemo) -> None:
    assert status_with(demo, token_of(demo)) == 200


def test_scopes_that_are_asked_for_are_needed(scoped_demo: RunningDemo) -> None:
    enough = token_of(scoped_demo, "--scopes", "calls:list calls:read more")
    assert status_with(scoped_demo, scoped_demo.token, CALL_ID) == 200
    assert status_with(scoped_demo, enough, CALL_ID) == 200
    assert status_with(scoped_demo, token_of(scoped_demo, "--scopes", "calls:read"), CALL_ID) == 403


def test_everybody_gets_in_where_that_is_said(open_demo: RunningDemo) -> None:
    assert httpx.get(f"{open_demo.url}/v1/live/calls/{CALL_ID}").status_code == 200
    assert "ACCESS_TOKEN" not in open_demo.output()
    assert "AUTH=off: whoever reaches this server may call it" in open_demo.output()


def test_an_issuer_of_ones_own_may_be_away_and_is_asked_about_no_made_up_token(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    introspection_server.answers(500)
    settings = server_settings(introspection_server.url)
    with running_demo(**settings, **deployment.settings) as demo:
        assert "export ACCESS_TOKEN=YOUR-ACCESS-TOKEN" in demo.output()
        assert "YOUR-ACCESS-TOKEN" not in introspection_server.asked


def made(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["make", "-s", "-o", ".venv/.ready", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_make_prints_a_token_and_nothing_else() -> None:
    printed = made("token", "TOKENS=jwt", "SCOPES=a b", "TTL=60").stdout
    claims = jwt.decode(printed.strip(), options={"verify_signature": False})
    assert claims["scope"] == "a b"
    assert claims["exp"] - claims["iat"] == 60


def test_make_prints_an_opaque_token_if_asked_to() -> None:
    assert re.fullmatch(r"demo_at_[\w-]{43}\n", made("token", "TOKENS=opaque").stdout)


@pytest.mark.parametrize("target", ["run", "token"])
def test_make_refuses_another_kind_of_token_in_one_line(target: str) -> None:
    refused = made(target, "TOKENS=other")
    assert refused.stdout == ""
    line, from_make = refused.stderr.splitlines()
    assert line == "Error: TOKENS is jwt or opaque, not other"
    assert re.match(r"make(\[\d\])?: \*\*\*", from_make)
