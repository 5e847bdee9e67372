"""`python -m server import` while it runs: what others see of it, and what ends it."""

import os
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from server.store.bulk import all_calls
from tests.support.data.calls import many_calls
from tests.support.database.postgres import becomes, execute, kill, store_call
from tests.support.machine.commands import command, environment, jsonl, line, lines


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """If tests run in the background, SIGINT is ignored, which programs they start inherit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c")
async def test_ctrl_c_stores_nothing(database_url: str) -> None:
    with importing(database_url, lines(*many_calls(2500))) as process:
        await waits_for_lines(database_url)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == (b"", b"Interrupted.\n")
    assert process.returncode == 130
    assert list(all_calls(database_url)) == []


async def test_nothing_is_locked_or_seen_while_lines_are_awaited(database_url: str) -> None:
    store_call(database_url, many_calls(1)[0])
    with importing(database_url, lines(*many_calls(2500))) as process:
        await waits_for_lines(database_url)
        execute(database_url, "UPDATE calls SET title = 'Meanwhile'")
        assert [call.title for call in all_calls(database_url)] == ["Meanwhile"]
        output, _ = process.communicate(timeout=20)
    assert output.startswith(b"imported 2500 calls (2499 new, 1 changed, 0 unchanged) in ")


async def test_a_database_that_dies_is_a_line(own_postgres: EmbeddedPostgres) -> None:
    with importing(own_postgres.url, lines(*many_calls(2500))) as process:
        await waits_for_lines(own_postgres.url)
        kill(own_postgres)
        output, errors = process.communicate(timeout=20)
    (told,) = errors.decode().splitlines()
    assert told.startswith("Error: ")
    assert (output, process.returncode) == (b"", 1)
    own_postgres.ensure_running()
    assert list(all_calls(own_postgres.url)) == []


def test_a_terminal_is_shown_progress(database_url: str, tmp_path: Path) -> None:
    content = lines(*many_calls(2500)) + line(status="paused")
    file = jsonl(tmp_path, content)
    shown = on_a_terminal("import", "--keep-going", file, DATABASE_URL=database_url)
    assert "\rreading:   0%|" in shown
    assert f"/{len(content) / 1000:.0f}k [" in shown
    assert "\rline 2501: status: must be one of " in shown
    assert "\rstoring: 100%|" in shown


@contextmanager
def importing(url: str, content: bytes) -> Iterator["subprocess.Popen[bytes]"]:
    """Start an import whose standard input holds the content, and has not ended."""
    with subprocess.Popen(
        command("import", "-"),
        env=environment(DATABASE_URL=url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin
        process.stdin.write(content)
        process.stdin.flush()
        yield process


async def waits_for_lines(url: str) -> None:
    """Wait until an import has stored batches, and waits for more lines."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state = 'idle in transaction' AND query LIKE 'COPY %'"
    )
    await becomes(url, waiting, (1,))


def on_a_terminal(*arguments: str, **settings: str) -> str:
    """Run a command whose standard error is a terminal, and return what that showed."""
    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, 80))
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        subprocess.run(
            command(*arguments),
            env=environment(**settings),
            stdout=subprocess.DEVNULL,
            stderr=end,
            timeout=60,
            check=False,
        )
        shown = screen.read(64 * 1024)
        os.close(end)
    return shown.decode()
