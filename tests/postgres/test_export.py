"""`python -m server export`: all calls of one snapshot are written, or the file is unchanged."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from demo.sample_calls import sample_calls
from server.application.call import Call
from server.store.bulk import store_calls
from tests.support.data.any_call import any_call
from tests.support.data.calls import MOMENT, many_calls
from tests.support.database.postgres import execute
from tests.support.machine.commands import command, environment, lines, run, run_process
from tests.support.stand_ins.stream import closed_port

SAMPLES = sample_calls(MOMENT)


def test_all_calls_are_written_by_id(database_url: str) -> None:
    store_calls(database_url, reversed(SAMPLES))
    result = run_process("export", DATABASE_URL=database_url)
    assert result.stdout == lines(*SAMPLES)
    assert result.stderr.startswith(b"exported 6 calls in ")
    assert result.returncode == 0


def test_no_calls_are_no_lines(database_url: str) -> None:
    result = run("export", "-", DATABASE_URL=database_url)
    assert (result.stdout_bytes, result.exit_code) == (b"", 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.lists(any_call, min_size=1, max_size=20))
def test_what_was_exported_is_imported_and_exported_the_same(
    database_url: str, calls: list[Call]
) -> None:
    execute(database_url, "TRUNCATE calls")
    store_calls(database_url, calls)
    exported = run("export", DATABASE_URL=database_url).stdout_bytes
    execute(database_url, "TRUNCATE calls")
    assert run("import", "-", stdin=exported, DATABASE_URL=database_url).exit_code == 0
    assert run("export", DATABASE_URL=database_url).stdout_bytes == exported
    again = run("import", "-", stdin=exported, DATABASE_URL=database_url)
    assert "0 new, 0 changed, " in again.stdout


def test_a_file_is_made(database_url: str, tmp_path: Path) -> None:
    store_calls(database_url, SAMPLES)
    result = run_process("export", str(tmp_path / "calls.jsonl"), DATABASE_URL=database_url)
    assert (tmp_path / "calls.jsonl").read_bytes() == lines(*SAMPLES)
    assert (result.stdout, result.returncode) == (b"", 0)
    assert list(tmp_path.iterdir()) == [tmp_path / "calls.jsonl"]


def test_a_file_is_replaced_and_keeps_its_mode(database_url: str, tmp_path: Path) -> None:
    store_calls(database_url, SAMPLES)
    file = tmp_path / "calls.jsonl"
    file.write_text("old")
    file.chmod(0o640)
    with file.open() as who_reads_the_old_one:
        run("export", str(file), DATABASE_URL=database_url)
        assert who_reads_the_old_one.read() == "old"
    assert file.read_bytes() == lines(*SAMPLES)
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(database_url: str, tmp_path: Path) -> None:
    store_calls(database_url, SAMPLES)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "calls.jsonl")
    run("export", str(link), DATABASE_URL=database_url)
    assert link.is_symlink()
    assert (tmp_path / "calls.jsonl").read_bytes() == lines(*SAMPLES)


def test_a_pipe_is_written_to_and_not_replaced(database_url: str, tmp_path: Path) -> None:
    store_calls(database_url, SAMPLES)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        run("export", str(pipe), DATABASE_URL=database_url)
        assert reader.communicate(timeout=20)[0] == lines(*SAMPLES)
    assert pipe.is_fifo()


def test_a_file_is_left_alone_where_the_database_fails(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text("old")
    result = run("export", str(file), DATABASE_URL=f"postgresql://127.0.0.1:{closed_port()}/calls")
    assert result.stderr.startswith("Error: connection failed: ")
    assert result.exit_code == 1
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "calls.jsonl"]


@pytest.mark.parametrize("name", ["missing/calls.jsonl", "file/calls.jsonl"])
def test_a_file_that_cannot_be_made_is_a_line(database_url: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    result = run("export", str(tmp_path / name), DATABASE_URL=database_url)
    assert result.stderr.startswith(f"Error: Cannot write {tmp_path / name}: No")
    assert result.exit_code == 1


def test_a_reader_that_has_seen_enough_hears_nothing_of_it(database_url: str) -> None:
    store_calls(database_url, many_calls(5000))
    with subprocess.Popen(
        command("export"),
        env=environment(DATABASE_URL=database_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == lines(many_calls(1)[0])
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_standard_output_is_a_line(database_url: str, unbuffered: str) -> None:
    store_calls(database_url, SAMPLES)
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command("export"),
            env=environment(PYTHONUNBUFFERED=unbuffered, DATABASE_URL=database_url),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (1, "Error: Cannot write -: No space left on device\n")
