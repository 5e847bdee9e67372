"""The demo with the user's own database, which has none of the sample calls."""

from pathlib import Path

import httpx

from tests.support.database.postgres import store_call
from tests.support.server.demo import RunningDemo, running_demo
from tests.support.server.deployments import Deployment


def answered(demo: RunningDemo, call_id: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{demo.rest_port}/v1/live/calls/{call_id}"
    reply = httpx.get(url, headers=demo.bearer)
    return reply.status_code, reply.json()["id"]


def test_the_demo_serves_it(deployment: Deployment, database_url: str) -> None:
    call = store_call(database_url)
    with running_demo(DATABASE_URL=database_url, **deployment.settings) as demo:
        assert answered(demo, call.id) == (200, call.id)


def test_a_file_may_name_it(deployment: Deployment, database_url: str, tmp_path: Path) -> None:
    call = store_call(database_url)
    file = tmp_path / "database_url"
    file.write_text(f"{database_url}\n")
    with running_demo(DATABASE_URL_FILE=str(file), **deployment.settings) as demo:
        assert answered(demo, call.id) == (200, call.id)
