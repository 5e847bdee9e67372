"""That Envoy goes on with another connection where the server has it leave an old one."""

from pathlib import Path

from server.demo.postgres import EmbeddedPostgres
from server.demo.readiness import wait_until
from tests.support.postgres import store_call
from tests.support.stack import stack_running
from tests.support.steady_stream import WELL, goes_on, steady_stream

LEFT = "cluster.livecalls.upstream_cx_close_notify"


def test_nobody_behind_envoy_notices_that_connections_are_left(
    shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> None:
    store_call(database_url)
    settings = {
        "DATABASE_URL": database_url,
        "RATE_LIMIT_PER_SECOND": "0",
        "MAX_CONNECTION_AGE_MS": "200",
    }
    with (
        stack_running(shared_postgres, tmp_path, **settings) as stack,
        steady_stream(stack.gateway) as outcomes,
    ):
        assert wait_until(lambda: stack.gateway.counter(LEFT) >= 10, 30)
        goes_on(outcomes)
    assert set(outcomes) == WELL, outcomes
