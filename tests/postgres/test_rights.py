"""The rights that the server needs, and what it reports and does without them."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.store.migrate import upgrade
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.database.postgres import execute, role, store_call, stored_calls
from tests.support.database.trouble import in_time
from tests.support.machine.commands import run

SECURED = "ALTER TABLE calls ENABLE ROW LEVEL SECURITY"
UNKNOWN_REVISION = "ok    schema: calls can be read; at which revision this role may not know"


@pytest.fixture
def serving_url(database_url: str) -> Iterator[str]:
    with role(database_url, "serving") as url:
        yield url


def schema_line(url: str) -> str:
    # On a thread of its own, for it runs an event loop.
    with ThreadPoolExecutor(1) as thread:
        checking = thread.submit(run, "check", AUTH="off", DATABASE_URL=url)
    return checking.result().stdout.splitlines()[4]


async def test_without_the_right_to_read_calls_are_unavailable_until_it_is_granted(
    database_url: str, serving_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_call(database_url)
    execute(database_url, "GRANT SELECT ON calls TO serving")
    async with stored_calls(serving_url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
        execute(database_url, "REVOKE SELECT ON calls FROM serving")
        for _ in range(2):
            with in_time():
                await calls.find(CALL_ID)
        execute(database_url, "GRANT SELECT ON calls TO serving")
        assert await calls.find(CALL_ID) == PLAIN_CALL
    line = vars(caplog.records[0])
    assert (line["levelname"], line["sqlstate"], line["exc_info"]) == ("ERROR", "42501", None)
    assert line["said"] == "permission denied for table calls"


async def test_a_fault_that_lasts_is_not_logged_with_every_read(
    serving_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stored_calls(serving_url) as calls:
        reads = 0
        # Once a second is what it may log: the last line counts what was left out before it.
        while not (caplog.records and vars(caplog.records[-1]).get("suppressed")):
            await asyncio.gather(calls.find(new_id()), return_exceptions=True)
            reads += 1
    assert vars(caplog.records[-1])["suppressed"] + len(caplog.records) == reads


async def test_a_row_that_row_level_security_would_hide_is_no_missing_call(
    database_url: str, serving_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    store_call(database_url)
    execute(database_url, "GRANT SELECT ON calls TO serving")
    async with stored_calls(serving_url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
        execute(database_url, SECURED)
        with in_time():
            await calls.find(CALL_ID)
    said = 'query would be affected by row-level security policy for table "calls"'
    assert vars(caplog.records[0])["said"] == said
    assert schema_line(serving_url) == f"FAIL  schema: {said}"


async def test_a_policy_counts_if_the_url_says_so(database_url: str, serving_url: str) -> None:
    store_call(database_url)
    execute(database_url, "GRANT SELECT ON calls TO serving")
    execute(database_url, f"{SECURED}; CREATE POLICY all_of_them ON calls USING (true)")
    url = f"{serving_url}&options=-c%20row_security%3Don"
    async with stored_calls(url) as calls:
        assert await calls.find(CALL_ID) == PLAIN_CALL
    assert schema_line(url) == UNKNOWN_REVISION


def test_check_needs_no_more_rights_than_the_server(database_url: str, serving_url: str) -> None:
    assert schema_line(serving_url) == "FAIL  schema: permission denied for table calls"
    execute(database_url, "GRANT SELECT ON calls TO serving")
    assert schema_line(serving_url) == UNKNOWN_REVISION
    execute(database_url, "GRANT SELECT ON alembic_version TO serving")
    assert schema_line(serving_url).endswith("(head)")
    execute(database_url, "REVOKE SELECT ON calls FROM serving")
    assert schema_line(serving_url) == "FAIL  schema: permission denied for table calls"


@pytest.mark.parametrize("change", ["DROP TABLE calls", "ALTER TABLE calls DROP COLUMN title"])
def test_check_sees_that_something_is_missing_whatever_the_revision(
    database_url: str, change: str
) -> None:
    execute(database_url, change)
    line = schema_line(database_url)
    assert line.startswith("FAIL  schema: ")
    assert line.endswith(" does not exist: run `python -m server migrate`")


async def test_the_two_roles_of_the_readme_migrate_and_serve(empty_database_url: str) -> None:
    url = empty_database_url
    with role(url, "migrating") as migrating, role(url, "serving") as serving:
        execute(url, "GRANT CREATE ON SCHEMA public TO migrating")
        execute(migrating, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO serving")
        upgrade(migrating)
        store_call(migrating)
        async with stored_calls(serving) as calls:
            assert await calls.find(CALL_ID) == PLAIN_CALL
        assert schema_line(serving).endswith("(head)")
        assert run("export", DATABASE_URL=serving).exit_code == 0
