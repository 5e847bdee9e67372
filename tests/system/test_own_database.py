"""The demo with the user's own database, which has none of the sample calls."""

import httpx

from tests.support.data.calls import CALL_ID
from tests.support.server.demo import RunningDemo


def answered(demo: RunningDemo, headers: dict[str, str] | None = None) -> tuple[int, str]:
    reply = httpx.get(f"{demo.url}/v1/live/calls/{CALL_ID}", headers=headers)
    return reply.status_code, reply.json()["id"]


def test_the_demo_serves_it(open_demo: RunningDemo) -> None:
    assert answered(open_demo) == (200, CALL_ID)


def test_a_file_may_name_it(scoped_demo: RunningDemo) -> None:
    assert answered(scoped_demo, scoped_demo.bearer) == (200, CALL_ID)
