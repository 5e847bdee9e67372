"""What ends any command that has no database to work with: one line, without the password."""

import pytest

from tests.support.data.calls import PLAIN_CALL
from tests.support.machine.commands import lines, run, run_process
from tests.support.stand_ins.stream import closed_port

IMPORT, EXPORT, MIGRATE, CHECK = ("import", "-"), ("export",), ("migrate",), ("check",)
NOT_MIGRATED = 'Error: relation "calls" does not exist: run `python -m server migrate`\n'


@pytest.mark.parametrize("command", [IMPORT, EXPORT, MIGRATE], ids=" ".join)
def test_an_unreachable_database_is_a_line(command: tuple[str, ...]) -> None:
    url = f"postgresql://user:secret@127.0.0.1:{closed_port()}/calls"
    result = run_process(*command, stdin=lines(PLAIN_CALL), DATABASE_URL=url)
    (told,) = result.stderr.decode().splitlines()
    assert told.startswith("Error: connection failed: ")
    assert "secret" not in told
    assert (result.stdout, result.returncode) == (b"", 1)


@pytest.mark.parametrize("command", [IMPORT, EXPORT], ids=" ".join)
def test_a_database_that_was_never_migrated_is_a_line(
    empty_database_url: str, command: tuple[str, ...]
) -> None:
    result = run(*command, stdin=lines(PLAIN_CALL), DATABASE_URL=empty_database_url)
    assert (result.stdout, result.stderr, result.exit_code) == ("", NOT_MIGRATED, 1)


@pytest.mark.parametrize("command", [IMPORT, EXPORT, MIGRATE], ids=" ".join)
def test_no_database_is_a_line(command: tuple[str, ...]) -> None:
    result = run(*command, stdin=lines(PLAIN_CALL))
    assert (result.stderr, result.exit_code) == ("Error: DATABASE_URL is not set\n", 1)


@pytest.mark.parametrize("command", [IMPORT, EXPORT, MIGRATE, CHECK], ids=" ".join)
def test_a_host_that_can_be_no_name_is_one_line(command: tuple[str, ...]) -> None:
    result = run(*command, AUTH="off", DATABASE_URL="postgresql://user:hunter2@db..svc/calls")
    assert result.exit_code == 1
    assert result.output.count("DATABASE_URL has a host that can be no name") == 1
    assert "hunter2" not in result.output
