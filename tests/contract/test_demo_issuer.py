"""The demo's issuer must serve clients that introspect and revoke by the RFCs."""

import base64
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest

from demo.introspection import issuer_application
from demo.opaque_issuer import INTROSPECT, REVOKE, Client
from demo.opaque_tokens import OpaqueTokens
from demo.serving import serve_in_thread
from tests.support.machine.commands import command, environment, run

CLIENT = Client("live calls", "a:b%+ü/=")


@pytest.fixture
def tokens(tmp_path: Path) -> OpaqueTokens:
    return OpaqueTokens(tmp_path)


@pytest.fixture
def http(tokens: OpaqueTokens) -> Iterator[httpx.Client]:
    with (
        serve_in_thread(issuer_application(tokens, CLIENT)) as url,
        httpx.Client(base_url=url) as client,
    ):
        yield client


def basic(client_id: str, secret: str) -> dict[str, str]:
    return plain_basic(quote_plus(client_id), quote_plus(secret))


def plain_basic(client_id: str, secret: str) -> dict[str, str]:
    return {"authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def introspect(http: httpx.Client, text: str) -> dict[str, object]:
    reply = http.post(INTROSPECT, data={"token": text}, headers=basic(CLIENT.id, CLIENT.secret))
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    answer: dict[str, object] = reply.json()
    return answer


def test_a_good_token_is_active_with_what_it_grants(http: httpx.Client, tokens: OpaqueTokens) -> None:
    began = int(time.time())
    answer = introspect(http, tokens.issue(["calls:read", "b"], 60))
    expires = answer.pop("exp")
    assert isinstance(expires, int)
    assert began + 60 <= expires <= time.time() + 60
    assert answer == {
        "active": True,
        "scope": "calls:read b",
        "client_id": "demo-app",
        "sub": "demo",
        "token_type": "Bearer",
    }


@pytest.mark.parametrize("text", ["x", "demo_at_unknown", "a.b.c", "../kind", "ü\0", "x" * 10_000])
def test_of_another_it_says_nothing_but_that(http: httpx.Client, text: str) -> None:
    assert introspect(http, text) == {"active": False}


def test_a_revoked_token_is_not_active(http: httpx.Client, tokens: OpaqueTokens) -> None:
    text, other = tokens.issue(), tokens.issue()
    reply = http.post(REVOKE, data={"token": text})
    assert (reply.status_code, reply.content) == (200, b"")
    assert introspect(http, text) == {"active": False}
    assert introspect(http, other)["active"] is True


def test_to_revoke_what_is_not_known_is_no_fault(http: httpx.Client) -> None:
    assert http.post(REVOKE, data={"token": "x"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(CLIENT.id, "other"),
        basic("other", CLIENT.secret),
        basic(CLIENT.id, ""),
        plain_basic(CLIENT.id, CLIENT.secret),
        {"authorization": "Basic !"},
        {"authorization": "Basic"},
        {"authorization": "Bearer x"},
    ],
    ids=repr,
)
def test_wrong_credentials_are_refused(
    http: httpx.Client, tokens: OpaqueTokens, headers: dict[str, str]
) -> None:
    reply = http.post(INTROSPECT, data={"token": tokens.issue()}, headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="demo"'
    assert reply.json()["error"] == "invalid_client"


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
@pytest.mark.parametrize("form", [{}, {"token": ""}, {"other": "x"}], ids=repr)
def test_a_request_without_a_token_is_refused(
    http: httpx.Client, path: str, form: dict[str, str]
) -> None:
    reply = http.post(path, data=form, headers=basic(CLIENT.id, CLIENT.secret))
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_tokens_are_not_looked_up_by_get(http: httpx.Client) -> None:
    assert http.get(INTROSPECT, params={"token": "x"}).status_code == 405


def test_the_command_serves_the_tokens_of_its_folder(tmp_path: Path) -> None:
    printed = subprocess.check_output(
        command("token", "--tokens", "opaque", of="demo"), cwd=tmp_path, env=environment(), text=True
    )
    credentials = environment(
        AUTH_INTROSPECTION_CLIENT_ID=CLIENT.id, AUTH_INTROSPECTION_CLIENT_SECRET=CLIENT.secret
    )
    with subprocess.Popen(
        command("issuer", of="demo"), cwd=tmp_path, env=credentials, stdout=subprocess.PIPE, text=True
    ) as issuer:
        try:
            assert issuer.stdout
            url = issuer.stdout.readline().removeprefix("Issuer listens on ").strip()
            with httpx.Client(base_url=url) as http:
                assert introspect(http, printed.strip())["active"] is True
        finally:
            issuer.terminate()
    assert issuer.returncode == 0


def test_the_command_needs_credentials() -> None:
    refused = run("issuer", of="demo")
    assert refused.exit_code == 2
    assert "Missing option '--client-id'" in refused.stderr
