"""The schema is migrated under load, up and down, and nobody notices: both ways to serve."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from server.store.migrate import downgrade, head_revision, upgrade
from tests.support.callers.steady_stream import PATIENT, WELL, goes_on, steady_stream
from tests.support.database.postgres import execute, store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running

HEAD = head_revision() or ""
OLDER, NEWER = (f"{int(HEAD) + apart:04}" for apart in (-1, 1))
EXPAND = f"""
BEGIN; SET LOCAL lock_timeout = '1s';
ALTER TABLE calls ADD cover_url text; UPDATE alembic_version SET version_num = '{NEWER}'; COMMIT
"""
TAKE_BACK = f"""
BEGIN; SET LOCAL lock_timeout = '1s';
ALTER TABLE calls DROP cover_url; UPDATE alembic_version SET version_num = '{HEAD}'; COMMIT
"""


@pytest.fixture(params=Deployment)
def stack(
    request: pytest.FixtureRequest, shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> Iterator[Stack]:
    """Everything, on a database at the head."""
    store_call(database_url)
    settings = {"DATABASE_URL": database_url, "RATE_LIMIT_PER_SECOND": "0", **PATIENT}
    with stack_running(shared_postgres, tmp_path, **settings, **request.param.settings) as stack:
        yield stack


def test_no_request_fails_on_the_schema_before_nor_behind_nor_between(
    stack: Stack, database_url: str
) -> None:
    with steady_stream(stack.gateway) as outcomes:
        for _ in range(3):
            _there_and_back(outcomes, database_url)
    assert set(outcomes) == WELL, outcomes
    assert not stack.server.logged("the calls cannot be read")


def _there_and_back(outcomes: Counter[object], database_url: str) -> None:
    goes_on(outcomes)
    downgrade(database_url, OLDER)
    goes_on(outcomes)
    upgrade(database_url)
    goes_on(outcomes)
    execute(database_url, EXPAND)
    goes_on(outcomes)
    execute(database_url, TAKE_BACK)
