"""Titles in any script and times in any style, whatever role, database or environment prefer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from click.testing import Result

from demo.postgres import EmbeddedPostgres
from server.application.call import Call
from server.application.errors import CallUnreadableError
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id
from tests.support.database.postgres import execute, store_call, stored_calls, url_of
from tests.support.machine.commands import lines, run, run_apart

CYRILLIC = replace(PLAIN_CALL, title="Йога")
FRENCH = replace(PLAIN_CALL, title="Leçon d'été")
NOT_UTF8 = f"""
INSERT INTO calls (id, host_user_id, title)
VALUES ('{CALL_ID}', 'coach-1', convert_from('\\xe9'::bytea, 'SQL_ASCII'))
"""
SAID = 'invalid byte sequence for encoding "UTF8": 0xe9'


@contextmanager
def database_in(server: EmbeddedPostgres, encoding: str) -> Iterator[str]:
    """Make a database in an encoding, migrated by `migrate`."""
    name = f"in_{encoding.lower()}"
    options = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    execute(server.url, f"CREATE DATABASE {name} {options}")
    try:
        url = url_of(server, name)
        assert run("migrate", DATABASE_URL=url).exit_code == 0
        yield url
    finally:
        execute(server.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def in_sql_ascii(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    with database_in(shared_postgres, "SQL_ASCII") as url:
        yield url


@pytest.fixture
def in_latin1(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    with database_in(shared_postgres, "LATIN1") as url:
        yield url


async def check_carries(url: str, call: Call) -> Result:
    """Import a call, read and export it, and return the result of `check`."""
    imported = await run_apart("import", "-", stdin=lines(call), DATABASE_URL=url)
    assert imported.exit_code == 0, imported.stderr
    async with stored_calls(url) as calls:
        assert await calls.find(CALL_ID) == call
    exported = await run_apart("export", DATABASE_URL=url)
    assert exported.stdout_bytes == lines(call), exported.stderr
    checked = await run_apart("check", AUTH="off", DATABASE_URL=url)
    assert checked.exit_code == 0, checked.stdout
    return checked


async def test_the_environment_is_not_asked(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    await check_carries(database_url, CYRILLIC)


@pytest.mark.parametrize("setting", ["client_encoding = 'LATIN1'", "datestyle = 'German'"])
async def test_nor_are_defaults_of_the_role_or_database(database_url: str, setting: str) -> None:
    [(name,)] = execute(database_url, "SELECT current_database()")
    execute(database_url, f"ALTER DATABASE {name} SET {setting}")
    await check_carries(database_url, CYRILLIC)


async def test_a_database_in_sql_ascii_carries_any_title(in_sql_ascii: str) -> None:
    checked = await check_carries(in_sql_ascii, CYRILLIC)
    assert "; its encoding SQL_ASCII is not for every title: UTF8 is\n" in checked.stdout


async def test_a_database_in_latin1_carries_the_titles_that_it_can_hold(in_latin1: str) -> None:
    checked = await check_carries(in_latin1, FRENCH)
    assert "; its encoding LATIN1 is not for every title: UTF8 is\n" in checked.stdout


def test_a_title_that_a_database_cannot_hold_is_refused_in_one_line(in_latin1: str) -> None:
    result = run("import", "-", stdin=lines(CYRILLIC), DATABASE_URL=in_latin1)
    assert result.exit_code == 1
    assert result.stderr == (
        'Error: character with byte sequence 0xd0 0x99 in encoding "UTF8" has no equivalent in encoding '
        "\"LATIN1\": make the database with ENCODING 'UTF8'\n"
    )


async def test_a_title_that_is_no_text_fails_nobody_else_s_request(
    in_sql_ascii: str, caplog: pytest.LogCaptureFixture
) -> None:
    execute(in_sql_ascii, NOT_UTF8)
    good = [store_call(in_sql_ascii, id=new_id()) for _ in range(6)]
    asked = [CALL_ID, *(call.id for call in good)]
    async with stored_calls(in_sql_ascii) as calls:
        bad, *found = await asyncio.gather(*map(calls.find, asked), return_exceptions=True)
    assert isinstance(bad, CallUnreadableError)
    assert found == good
    [line] = [vars(record) for record in caplog.records if record.name == "server.store"]
    assert (line["call"], line["reason"]) == (CALL_ID, SAID)


def test_an_export_that_meets_it_names_it(in_sql_ascii: str) -> None:
    execute(in_sql_ascii, NOT_UTF8)
    for _ in range(3):
        store_call(in_sql_ascii, id=new_id())
    result = run("export", DATABASE_URL=in_sql_ascii)
    assert result.exit_code == 1
    assert result.stderr == f"Error: the row of call {CALL_ID} cannot be read: {SAID}\n"
