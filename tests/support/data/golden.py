"""Replies in readable files, each with a request and, below it, the expected reply."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.callers.rest import Reply, ask

REQUEST_ID = "golden"

# What is not the same every time, and its placeholder.
_VARYING_HEADERS = {"etag": '"<etag>"', "content-length": "<length>"}
_VARYING_TEXTS = (
    (re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"'), '"<date-time>"'),
    (re.compile(r'"current_session_id":"[^"]+"'), '"current_session_id":"<session>"'),
)


@dataclass(frozen=True)
class Golden:
    """A golden file: request line and headers, an empty line, status, headers and body of the reply."""

    path: Path

    def check(self, url: str, headers: dict[str, str] | None = None, *, rewrite: bool) -> None:
        """Send the request with more headers to the URL and compare the reply, or write it down."""
        request, _, expected = self.path.read_text().partition("\n\n")
        shown = _shown(_send(url, request, headers or {}))
        if rewrite:
            # A status does not change by itself: rewrite by hand a file that is to have another.
            assert not expected or shown.splitlines()[0] == expected.splitlines()[0]
            self.path.write_text(f"{request.rstrip()}\n\n{shown}")
        else:
            assert shown == expected


def masked(body: str) -> str:
    """Replace what is not the same every time by placeholders."""
    for varying, stand_in in _VARYING_TEXTS:
        body = varying.sub(stand_in, body)
    return body


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-golden", action="store_true", help="write replies down, do not compare")


@pytest.fixture
def rewrite_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--rewrite-golden"))


def _send(url: str, request: str, more: dict[str, str]) -> Reply:
    first, *lines = request.splitlines()
    method, path = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return ask(url, method, path, {"x-request-id": REQUEST_ID} | more | headers)


def _shown(reply: Reply) -> str:
    headers = sorted(
        f"{name}: {_VARYING_HEADERS.get(name, value)}" for name, value in reply.headers if name != "date"
    )
    body = masked(reply.body.decode())
    return "\n".join(
        [str(reply.status), *headers, "", body, ""] if body else [str(reply.status), *headers, ""]
    )
