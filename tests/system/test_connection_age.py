"""Callers go on with another connection if an old one is to be closed, and so does Envoy."""

from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from demo.readiness import wait_until
from tests.support.callers.steady_stream import PATIENT, WELL, goes_on, steady_stream
from tests.support.database.postgres import store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import stack_running

CALLERS_LEFT = "http.rest.downstream_cx_max_duration_reached"
ENVOY_LEFT = "cluster.livecalls.upstream_cx_close_notify"


@pytest.mark.parametrize(
    ("deployment", "counters"),
    [(Deployment.STANDALONE, (CALLERS_LEFT, ENVOY_LEFT)), (Deployment.EMBEDDED, (CALLERS_LEFT,))],
)
def test_nobody_notices_that_connections_are_left(
    deployment: Deployment,
    counters: tuple[str, ...],
    shared_postgres: EmbeddedPostgres,
    database_url: str,
    tmp_path: Path,
) -> None:
    store_call(database_url)
    settings = {
        "DATABASE_URL": database_url,
        "RATE_LIMIT_PER_SECOND": "0",
        **PATIENT,
        **deployment.settings,
    }
    with (
        stack_running(shared_postgres, tmp_path, MAX_CONNECTION_AGE_MS="200", **settings) as stack,
        steady_stream(stack.gateway) as outcomes,
    ):
        for counter in counters:
            assert wait_until(lambda: stack.gateway.counter(counter) >= 10, 30), counter  # noqa: B023
        goes_on(outcomes)
    assert set(outcomes) == WELL, outcomes
