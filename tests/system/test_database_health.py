"""Health that follows the database, for those who configure it: others answer by another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from demo.readiness import grpc_answers, wait_until
from tests.support.database.postgres import away, store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.stream import closed_port

AWAY = "not ready: no read of the database has succeeded"
BACK = "ready again: the database is read"


@pytest.fixture(params=Deployment)
def following(
    request: pytest.FixtureRequest, own_postgres: EmbeddedPostgres, tmp_path: Path
) -> Iterator[Stack]:
    """Everything, with health that follows the database at once; Stream is away all the time."""
    store_call(own_postgres.url)
    away = {"STREAM_BASE_URL": f"http://127.0.0.1:{closed_port()}"}
    settings = {"DATABASE_UNHEALTHY_AFTER_MS": "1", **away, **request.param.settings}
    with stack_running(own_postgres, tmp_path, **settings) as stack:
        yield stack


def is_healthy(stack: Stack) -> set[bool]:
    """Ask the server, and through Envoy."""
    return {grpc_answers(address) for address in stack.grpc_addresses}


def test_it_is_unhealthy_while_the_database_is_away_and_not_for_stream(following: Stack) -> None:
    assert wait_until(lambda: is_healthy(following) == {True}, 30)
    with away(following.postgres):
        assert wait_until(lambda: is_healthy(following) == {False}, 30), following.server.log()
        # Asked all the same, if there is no other.
        assert (following.get().status, following.get().json()["error"]) == (503, "unavailable")
        assert wait_until(lambda: len(following.server.logged(AWAY)) == 1, 20)
        assert following.server.logged(AWAY)[0]["level"] == "ERROR"
        assert not following.server.logged(BACK)
    assert wait_until(lambda: is_healthy(following) == {True}, 30), following.server.log()
    assert wait_until(lambda: following.get().status == 200, 30)
    assert wait_until(lambda: len(following.server.logged(BACK)) == 1, 20)
