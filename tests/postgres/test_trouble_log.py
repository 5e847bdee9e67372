"""The log of trouble: one line a SELECT, with the reason, and never a password."""

import asyncio

import pytest

from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import stored_calls
from tests.support.database.silent_proxy import SilentProxy
from tests.support.database.trouble import in_time, locked


async def test_trouble_is_logged_once_a_select_and_without_the_password(
    database_url: str, proxy: SilentProxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.silent = True
    async with stored_calls(proxy.url, connect_timeout_ms=100) as calls:
        await asyncio.gather(*(calls.find(CALL_ID) for _ in range(20)), return_exceptions=True)
    records = [record for record in caplog.records if record.name == "server.store"]
    assert [(record.message, vars(record)["reason"]) for record in records] == [
        ("the calls cannot be read", "ConnectionTimeout")
    ]
    assert "hunter2" not in "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("/test_", "/no_test_"), 'FATAL:  database "no_test_'),
        (("postgres@", "nobody:hunter2@"), 'FATAL:  role "nobody" does not exist'),
    ],
)
async def test_the_log_says_why_there_is_no_connection(
    database_url: str, caplog: pytest.LogCaptureFixture, change: tuple[str, str], said: str
) -> None:
    async with stored_calls(database_url.replace(*change)) as calls:
        with in_time():
            await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert vars(record)["said"].startswith(said)
    assert "hunter2" not in str(vars(record))


async def test_the_log_names_the_error_of_a_statement(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with stored_calls(database_url, statement_timeout_ms=100) as calls:
        with locked(database_url), in_time():
            await calls.find(CALL_ID)
    [record] = [record for record in caplog.records if record.name == "server.store"]
    assert (vars(record)["reason"], vars(record)["sqlstate"]) == ("QueryCanceled", "57014")
