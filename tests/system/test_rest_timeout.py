"""The error of a REST request that takes too long."""

from pathlib import Path

from demo.postgres import EmbeddedPostgres
from tests.support.database.postgres import store_call
from tests.support.database.trouble import locked
from tests.support.server.deployments import Deployment
from tests.support.server.stack import stack_running


def test_a_database_that_is_slower_is_not_waited_for(
    deployment: Deployment, shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    store_call(database_url)
    settings = {"DATABASE_URL": database_url, "REST_TIMEOUT_MS": "300", **deployment.settings}
    with stack_running(shared_postgres, tmp_path, **settings) as stack:
        with locked(database_url):
            late = stack.get()
        assert late.status == 504
        assert late.json().keys() == {"error", "message"}
        assert late.json()["error"] == "deadline_exceeded"
        assert late.header("cache-control") == "no-store"
        assert stack.get().status == 200
