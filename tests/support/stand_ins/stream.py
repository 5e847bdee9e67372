"""The stand-in for Stream, served to a test, and the settings that lead to it."""

import socket
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import StreamStandIn
from server.config.stream import StreamSettings

KEY = "key-of-the-tests"
SECRET = "secret-of-the-tests-that-is-long-enough"  # noqa: S105 - the stand-in's
TOKEN = jwt.encode({}, SECRET, algorithm="HS256")
SIGNED = {"Authorization": TOKEN, "stream-auth-type": "jwt"}
"""The headers by which Stream knows its customers; the key is in the query."""
AWAITED = {"STREAM_TIMEOUT_MS": "20000"}
"""Settings of tests that are about what Stream says: however busy the machine is, they wait for it."""
# What Stream's authentication is not: a key, and headers.
UNAUTHENTICATED: list[tuple[str, dict[str, str]]] = [
    (KEY, {}),
    (KEY, {"Authorization": TOKEN}),
    (KEY, {"Authorization": f"Bearer {TOKEN}", "stream-auth-type": "jwt"}),
    (KEY, {"Authorization": TOKEN[:-1], "stream-auth-type": "jwt"}),
    ("wrong", SIGNED),
]


def stream_settings(url: str, **changes: Any) -> StreamSettings:
    """Make the settings for a Stream at the URL, with defaults but for changes."""
    return StreamSettings(**{"api_key": KEY, "api_secret": SECRET, "base_url": url, **changes})


def stream_variables(url: str) -> dict[str, str]:
    """Return the same as environment variables."""
    return {"STREAM_API_KEY": KEY, "STREAM_API_SECRET": SECRET, "STREAM_BASE_URL": url}


@pytest.fixture
def stand_in() -> StreamStandIn:
    return StreamStandIn(KEY, SECRET)


@pytest.fixture
def stream_url(stand_in: StreamStandIn) -> Iterator[str]:
    with serve_in_thread(stand_in) as url:
        yield url


def closed_port() -> int:
    """Find a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
