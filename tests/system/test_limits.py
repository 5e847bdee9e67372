"""How much a request may carry."""

import pytest

from tests.support.callers.rest import Reply, ask
from tests.support.server.demo import RunningDemo


def with_header(demo: RunningDemo, length: int) -> Reply:
    return ask(demo.url, "GET", "/v1/live/calls/none", {**demo.bearer, "tracestate": "x" * length})


@pytest.mark.parametrize("length", [8_500, 16_000, 55_000])
def test_a_long_header_passes_every_time(demo: RunningDemo, length: int) -> None:
    assert {with_header(demo, length).status for _ in range(30)} == {404}


def test_one_too_long_is_said_to_be(demo: RunningDemo) -> None:
    reply = with_header(demo, 70_000)
    assert (reply.status, reply.json()["error"]) == (431, "request_header_fields_too_large")
