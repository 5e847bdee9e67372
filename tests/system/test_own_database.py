"""The demo with a database of one's own, which has none of the sample calls."""

import httpx

from tests.support.demo import running_demo
from tests.support.postgres import store_call
from tests.support.ways import Way


def test_the_demo_serves_it(way: Way, database_url: str) -> None:
    call = store_call(database_url)
    with running_demo(DATABASE_URL=database_url, **way.settings) as demo:
        url = f"http://127.0.0.1:{demo.rest_port}/v1/live/calls/{call.id}"
        reply = httpx.get(url, headers=demo.bearer)
        assert (reply.status_code, reply.json()["id"]) == (200, call.id)
