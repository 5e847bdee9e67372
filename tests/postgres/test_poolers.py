"""Two PgBouncers before PostgreSQL, with their own defaults, in session and in transaction mode."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from server.application.errors import StoreUnavailableError
from server.store.prepared_select import PreparedSelect
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.pgbouncer import PgBouncer, pgbouncer_running
from tests.support.database.postgres import execute, role, store_call, stored_calls
from tests.support.database.trouble import locked
from tests.support.machine.commands import lines, run, run_apart

MODES = ["session", "transaction"]
ONE_SESSION = "default_pool_size = 1"
LONG = {"connect_timeout_ms": 60_000, "read_timeout_ms": 60_000}
SET = ("row_security", "statement_timeout", "default_transaction_isolation", "datestyle", "timezone")
POOLER = "ok    pooler: in {} mode; session and transaction mode serve, with PgBouncer from 1.18"
NO_OPTIONS = (
    "the pooler before PostgreSQL refuses settings at the start: leave `options` out of DATABASE_URL"
)
REFUSED = {
    PgBouncer.DEBIANS: "FATAL:  unsupported startup parameter: options",
    PgBouncer.NEWER: "FATAL:  unsupported startup parameter in options: jit",
}
PREPARED = {PgBouncer.DEBIANS: "livecalls_", PgBouncer.NEWER: "PGBOUNCER_"}
NOT_IN_STATEMENT_MODE = (
    "the pooler before PostgreSQL must be in session or transaction mode, not in statement mode"
)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    mode: str = request.param
    return mode


@pytest.fixture(params=PgBouncer, ids=lambda version: version.value)
def version(request: pytest.FixtureRequest) -> PgBouncer:
    version: PgBouncer = request.param
    return version


@pytest.fixture
def pooled_url(database_url: str, mode: str, version: PgBouncer) -> Iterator[str]:
    """A database with the one call, through a PgBouncer that has one session with it."""
    store_call(database_url)
    with pgbouncer_running(database_url, mode, ONE_SESSION, version=version) as url:
        yield url


async def is_served(url: str) -> None:
    """Read often enough to use each way to run the SELECT."""
    async with stored_calls(url, **LONG) as calls:
        for _ in range(5):
            assert await calls.find(CALL_ID) == PLAIN_CALL


async def test_servers_one_after_the_other_read_by_the_same_session(pooled_url: str) -> None:
    for _ in range(3):
        await is_served(pooled_url)


async def test_servers_beside_each_other_read_by_the_same_session(
    database_url: str, version: PgBouncer
) -> None:
    store_call(database_url)
    with pgbouncer_running(database_url, "transaction", ONE_SESSION, version=version) as url:
        await asyncio.gather(*(is_served(url) for _ in range(3)))


async def test_a_column_whose_type_changes_is_read_on(database_url: str, pooled_url: str) -> None:
    async with stored_calls(pooled_url, **LONG) as calls:
        for _ in range(5):
            await calls.find(CALL_ID)
        execute(database_url, "ALTER TABLE calls ALTER COLUMN title TYPE varchar")
        for _ in range(5):
            assert await calls.find(CALL_ID) == PLAIN_CALL
    await is_served(pooled_url)


async def test_a_pooler_that_is_not_seen_is_read_through_as_well(
    database_url: str, version: PgBouncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler may not be noticed, if it reports PostgreSQL's own process ids."""
    monkeypatch.setattr(PreparedSelect, "_is_straight", lambda _: True)
    store_call(database_url)
    with pgbouncer_running(database_url, "transaction", ONE_SESSION, version=version) as url:
        for _ in range(3):
            await is_served(url)
        [(name,)] = execute(url, "SELECT name FROM pg_prepared_statements")
    assert name.startswith(PREPARED[version])


async def test_a_select_has_its_time_out_and_shows_hidden_rows_as_an_error(
    database_url: str, pooled_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stored_calls(pooled_url, statement_timeout_ms=1000, **LONG) as calls:
        for _ in range(3):
            await calls.find(CALL_ID)
        with locked(database_url), pytest.raises(StoreUnavailableError):
            await calls.find(CALL_ID)
        assert vars(caplog.records[-1])["sqlstate"] == "57014"
    with role(database_url, "seeing_some"):
        execute(database_url, "GRANT SELECT ON calls TO seeing_some")
        execute(database_url, "ALTER TABLE calls ENABLE ROW LEVEL SECURITY")
        with pgbouncer_running(database_url, "transaction", user="seeing_some") as url:
            async with stored_calls(url, **LONG) as calls:
                with pytest.raises(StoreUnavailableError):
                    await calls.find(CALL_ID)
    assert "row-level security" in vars(caplog.records[-1])["said"]


async def test_the_next_in_a_session_finds_nothing_set_or_prepared(
    database_url: str, pooled_url: str
) -> None:
    asked = f"SELECT name, setting FROM pg_settings WHERE name = ANY('{{{','.join(SET)}}}')"
    before = execute(pooled_url, asked)
    await is_served(pooled_url)
    assert run("export", DATABASE_URL=pooled_url).exit_code == 0
    assert execute(pooled_url, asked) == before
    assert execute(pooled_url, "SELECT name FROM pg_prepared_statements") == []


async def test_commands_do_their_work(database_url: str, pooled_url: str) -> None:
    for command in (("migrate", "--down", "base"), ("migrate",)) * 2:
        assert run(*command, DATABASE_URL=pooled_url).exit_code == 0
    imported = run("import", "-", stdin=lines(PLAIN_CALL), DATABASE_URL=pooled_url)
    assert imported.exit_code == 0, imported.stderr
    assert run("export", DATABASE_URL=pooled_url).stdout_bytes == lines(PLAIN_CALL)


async def test_check_says_in_which_mode_it_is(pooled_url: str, mode: str) -> None:
    # In session mode it waits so long for a second session, of which there is none.
    limits = {"DATABASE_CONNECT_TIMEOUT_MS": "60000", "DATABASE_READ_TIMEOUT_MS": "10000"}
    result = await run_apart("check", stdin=b"", AUTH="off", DATABASE_URL=pooled_url, **limits)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[5] == POOLER.format(mode)


async def test_options_of_the_url_are_refused_in_a_line_that_names_the_pooler(
    pooled_url: str, version: PgBouncer, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{pooled_url}?options=-c%20jit%3Doff"
    async with stored_calls(url, **LONG) as calls:
        with pytest.raises(StoreUnavailableError):
            await calls.find(CALL_ID)
    [line] = [vars(record) for record in caplog.records if record.name == "server.store"]
    assert (line["message"], line["exc_info"]) == (NO_OPTIONS, None)
    assert line["said"] == REFUSED[version]
    exported = run("export", DATABASE_URL=url)
    assert exported.stderr.splitlines()[0].endswith(f"{REFUSED[version]}: {NO_OPTIONS}")
    assert (exported.exit_code, len(exported.stderr.splitlines())) == (1, 1)


def test_statement_mode_is_refused_in_a_line_that_names_the_pooler(database_url: str) -> None:
    with pgbouncer_running(database_url, "statement") as url:
        result = run("check", AUTH="off", DATABASE_URL=url)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[3].endswith(f" pooling mode: {NOT_IN_STATEMENT_MODE}")


async def test_a_pooler_whose_sessions_are_all_lent_is_named(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        pgbouncer_running(database_url, "session", ONE_SESSION, "query_wait_timeout = 1") as url,
        psycopg.connect(url) as lent,
    ):
        lent.execute("SELECT")
        async with stored_calls(url, **LONG) as calls:
            with pytest.raises(StoreUnavailableError):
                await calls.find(CALL_ID)
    message = caplog.records[-1].message
    assert message == "the pooler before PostgreSQL has no session or connection left: let it have more"
