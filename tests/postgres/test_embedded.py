"""The embedded PostgreSQL starts whatever is in its folder, and ends on request."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import psutil
import psycopg
import pytest

from demo import postgres
from demo.postgres import PostgresFailedError, embedded_postgres
from tests.support.database.postgres import execute, kill


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder without a server yet; its parent does not exist either."""
    with TemporaryDirectory(prefix="livecalls-") as name:
        yield Path(name) / "some" / "data"


def test_data_stay_from_run_to_run(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        execute(server.url, "CREATE TABLE kept AS SELECT 'Zoë' AS name")
    with embedded_postgres(folder) as server:
        assert execute(server.url, "SELECT name FROM kept") == [("Zoë",)]


def test_it_ends_in_two_seconds_with_clients_and_leaves_no_process(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
        with closing(psycopg.connect(server.url)) as client:
            client.execute("CREATE TABLE kept AS SELECT generate_series(1, 100000)")
            begun = monotonic()
            server.stop()
        assert monotonic() - begun < 2
        assert server.pid is None
    _, alive = psutil.wait_procs(processes, 5)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_server_that_died_is_started_again_at_the_same_url(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        url = server.url
        execute(url, "CREATE TABLE kept ()")
        kill(server)
        assert server.pid is None
        server.ensure_running()
        assert execute(url, "SELECT * FROM kept") == []
        assert server.url == url


def test_a_server_that_runs_is_left_alone(folder: Path) -> None:
    with embedded_postgres(folder) as server:
        before = server.pid
        server.ensure_running()
        assert server.pid == before is not None


def test_a_server_that_a_killed_run_left_is_ended_first(folder: Path) -> None:
    program = f"""
        import os, pathlib, signal
        from demo.postgres import embedded_postgres
        with embedded_postgres(pathlib.Path({str(folder)!r})) as server:
            print(server.pid, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, check=False
    )
    assert run.returncode == -signal.SIGKILL
    left = psutil.Process(int(run.stdout))
    with embedded_postgres(folder) as server:
        execute(server.url, "SELECT 1")
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE


def test_a_number_left_in_its_file_that_is_now_another_s_stops_nothing(folder: Path) -> None:
    with embedded_postgres(folder):
        pass
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        lines = [str(other.pid), str(folder), "1", "5432", str(folder), "", "0 0", "ready"]
        (folder / "postmaster.pid").write_text("\n".join(lines))
        with embedded_postgres(folder) as server:
            execute(server.url, "SELECT 1")
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


def test_half_made_data_of_a_killed_run_are_made_anew(folder: Path) -> None:
    half_made = folder.with_name("data.new")
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with embedded_postgres(folder) as server:
        execute(server.url, "SELECT 1")
    assert not half_made.exists()


@pytest.mark.parametrize("name", ["a b, c 'd' \"e\" é", "x" * 120])
def test_its_folder_may_be_called_as_one_likes(folder: Path, name: str) -> None:
    with embedded_postgres(folder / name) as server:
        execute(server.url, "SELECT 1")
        sockets = Path(execute(server.url, "SHOW unix_socket_directories")[0][0])
    assert not sockets.exists()


def test_nothing_of_the_caller_s_environment_reaches_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"TZ": "Asia/Tokyo", "PGDATA": "/nowhere", "LC_ALL": "xx_YY.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    with embedded_postgres(folder) as server:
        assert "UTC" in execute(server.url, "SHOW log_timezone")[0][0]


def test_it_prints_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with embedded_postgres(folder) as server:
        execute(server.url, "SELECT 1")
        kill(server)
        server.ensure_running()
    assert capfd.readouterr() == ("", "")


def test_data_that_cannot_be_used_are_told_in_postgresql_s_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "RETRY_SECONDS", 0.0)
    folder.mkdir(parents=True)
    (folder / "PG_VERSION").touch()
    with pytest.raises(PostgresFailedError, match=r"postgresql\.conf"), embedded_postgres(folder):
        pass
