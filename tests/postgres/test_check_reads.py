"""`check` reads the calls as the server does: by its connections, with its limits."""

from tests.support.database.silent_proxy import SilentProxy
from tests.support.database.trouble import locked
from tests.support.machine.commands import run_apart
from tests.support.stand_ins.silent_host import silent_ports


async def test_a_host_that_never_answers_is_as_little_in_the_way(
    database_url: str, proxy: SilentProxy
) -> None:
    with silent_ports(1) as silent:
        result = await run_apart(
            "check", AUTH="off", DATABASE_URL=proxy.url_with(*silent), DATABASE_CONNECT_TIMEOUT_MS="5000"
        )
    assert result.exit_code == 0, result.output


async def test_a_select_that_takes_the_server_too_long_fails(database_url: str) -> None:
    with locked(database_url):
        result = await run_apart(
            "check", AUTH="off", DATABASE_URL=database_url, DATABASE_STATEMENT_TIMEOUT_MS="100"
        )
    assert result.stdout.splitlines()[4] == "FAIL  schema: canceling statement due to statement timeout"
