"""HTTP/1.0, which nginx speaks by default, and checks and benchmarks such as `ab` do."""

import json
import subprocess

import pytest

from tests.support.callers.rest import Reply, send_raw
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.server.stack import Stack

PATH = f"/v1/live/calls/{CALL_ID}"


def ask(stack: Stack, request_line: str, headers: dict[str, str] | None = None) -> Reply:
    """Send a request by HTTP/1.0 with these headers alone."""
    lines = [
        f"{request_line} HTTP/1.0",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return send_raw(stack.gateway.url, "\r\n".join([*lines, "", ""]).encode())


def test_curl_gets_what_the_readme_shows(stack: Stack, token: str) -> None:
    shows = ["-H", f"Authorization: Bearer {token}"]
    command = ["curl", "--http1.0", "--silent", "--show-error", "--include", *shows]
    done = subprocess.run(
        [*command, f"{stack.gateway.url}{PATH}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition("\n\n")
    assert head.splitlines()[0].split()[1] == "200"
    assert json.loads(body)["title"] == PLAIN_CALL.title


@pytest.mark.parametrize("host", [{"Host": "calls.example.com"}, {}], ids=["with a host", "without"])
@pytest.mark.parametrize("kept", [{"Connection": "Keep-Alive"}, {}], ids=["kept", "closed"])
def test_a_call_is_got(
    stack: Stack, authorization: dict[str, str], host: dict[str, str], kept: dict[str, str]
) -> None:
    reply = ask(stack, f"GET {PATH}", {**authorization, **host, **kept})
    assert (reply.status, reply.json()["title"]) == (200, PLAIN_CALL.title)
    assert reply.header("x-request-id")
    # Chunks are HTTP/1.1's.
    assert reply.header("transfer-encoding") is None
    assert reply.header("content-length") == str(len(reply.body))


def test_what_has_not_changed_is_not_sent(stack: Stack, authorization: dict[str, str]) -> None:
    etag = ask(stack, f"GET {PATH}", authorization).header("etag")
    assert etag
    assert ask(stack, f"GET {PATH}", {**authorization, "If-None-Match": etag}).status == 304


@pytest.mark.parametrize(
    ("request_line", "status", "error"),
    [
        (f"GET /v1/live/calls/{new_id()}", 404, "not_found"),
        ("GET /elsewhere", 404, "not_found"),
        (f"POST {PATH}", 405, "method_not_allowed"),
        ("OPTIONS /", 404, "not_found"),
    ],
    ids=["no call", "no page", "another verb", "the check of HAProxy's own"],
)
def test_a_refusal_has_its_shape(
    stack: Stack, authorization: dict[str, str], request_line: str, status: int, error: str
) -> None:
    reply = ask(stack, request_line, authorization)
    assert (reply.status, reply.json()["error"]) == (status, error)
    assert reply.header("transfer-encoding") is None


def test_a_page_is_got(stack: Stack) -> None:
    reply = ask(stack, "GET /docs")
    assert reply.status == 200
    assert reply.body.endswith(b"</html>\n")
    assert reply.header("transfer-encoding") is None
