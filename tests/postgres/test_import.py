"""`python -m server import`: all of a file is stored, or nothing, and what is reported."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from demo.sample_calls import sample_calls
from server.application.call import MAX_TITLE_LENGTH, Call, CallStatus
from server.store.bulk import all_calls
from tests.support.data.calls import MOMENT, PLAIN_CALL, many_calls, numbered_id
from tests.support.database.postgres import execute, store_call
from tests.support.machine.commands import jsonl, line, lines, run, run_process

YOGA = replace(PLAIN_CALL, id=numbered_id(1))
PILATES = replace(PLAIN_CALL, id=numbered_id(2), title="Pilates", status=CallStatus.LIVE)
NO_STATUS = "status: must be one of scheduled, live, ended, errored"
NOTHING_STORED = (
    "Error: nothing is stored, for {} cannot be: put them right, or store the others with --keep-going"
)


def stored(url: str) -> list[Call]:
    return list(all_calls(url))


def test_calls_are_stored_as_the_lines_say(database_url: str, tmp_path: Path) -> None:
    calls = sample_calls(MOMENT)
    result = run_process("import", jsonl(tmp_path, lines(*calls)), DATABASE_URL=database_url)
    assert result.stdout.startswith(b"imported 6 calls (6 new, 0 changed, 0 unchanged) in ")
    assert (result.stderr, result.returncode) == (b"", 0)
    assert stored(database_url) == calls


def test_known_calls_are_updated_and_equal_ones_left_alone(database_url: str, tmp_path: Path) -> None:
    kept, changed = store_call(database_url, YOGA), store_call(database_url, PILATES)
    versions = dict(execute(database_url, "SELECT id::text, xmin::text FROM calls"))
    changed = replace(changed, title="Pilates with Ann", stream_call_id="s-1", status=CallStatus.ENDED)
    new = replace(PLAIN_CALL, id=numbered_id(3))
    result = run("import", jsonl(tmp_path, lines(new, kept, changed)), DATABASE_URL=database_url)
    assert result.stdout.startswith("imported 3 calls (1 new, 1 changed, 1 unchanged) in ")
    assert stored(database_url) == [kept, changed, new]
    versions_now = dict(execute(database_url, "SELECT id::text, xmin::text FROM calls"))
    assert versions_now[kept.id] == versions[kept.id]
    assert versions_now[changed.id] != versions[changed.id]


@pytest.mark.parametrize("name", ["scheduled_at", "recording_url", "stream_call_id"])
def test_null_takes_a_value_away_and_a_value_takes_null_s_place(
    database_url: str, tmp_path: Path, name: str
) -> None:
    full = replace(YOGA, scheduled_at=MOMENT, recording_url="https://x.example", stream_call_id="s")
    emptied = replace(full, **{name: None})  # type: ignore[arg-type]  # names are of nullable fields
    for call in (full, emptied, full):
        run("import", jsonl(tmp_path, lines(call)), DATABASE_URL=database_url)
        assert stored(database_url) == [call]


def test_the_times_of_the_row_are_kept(database_url: str, tmp_path: Path) -> None:
    store_call(database_url, YOGA)
    earlier = replace(
        YOGA, created_at=MOMENT - timedelta(days=2), updated_at=MOMENT - timedelta(days=1), title="Old"
    )
    run("import", jsonl(tmp_path, lines(earlier)), DATABASE_URL=database_url)
    assert stored(database_url) == [earlier]


@pytest.mark.parametrize("between", [0, 2500], ids=["side by side", "in batches far apart"])
def test_of_lines_with_one_id_the_last_counts(database_url: str, tmp_path: Path, between: int) -> None:
    first, last = replace(YOGA, id=numbered_id(9999)), replace(PILATES, id=numbered_id(9999))
    file = jsonl(tmp_path, lines(first, first, *many_calls(between), last))
    result = run("import", file, DATABASE_URL=database_url)
    total = between + 1
    assert f"imported {total} call" in result.stdout
    assert f"({total} new, 0 changed, 0 unchanged)" in result.stdout
    assert stored(database_url)[-1] == last


def test_a_bad_line_keeps_all_of_the_file_out(database_url: str, tmp_path: Path) -> None:
    store_call(database_url, YOGA)
    content = lines(*many_calls(1500)) + line(status="paused") + lines(PILATES) + b"{}x\n"
    result = run_process("import", jsonl(tmp_path, content), DATABASE_URL=database_url)
    assert result.stderr.decode().splitlines() == [
        f"line 1501: {NO_STATUS}",
        "line 1503: is not JSON: Extra data, at character 3",
        NOTHING_STORED.format("2 lines"),
    ]
    assert (result.stdout, result.returncode) == (b"", 1)
    assert stored(database_url) == [YOGA]


def test_with_keep_going_the_good_lines_are_stored(database_url: str, tmp_path: Path) -> None:
    content = lines(YOGA) + line(status="paused") + lines(PILATES)
    result = run("import", "--keep-going", jsonl(tmp_path, content), DATABASE_URL=database_url)
    assert result.stdout.startswith("imported 2 calls (2 new, 0 changed, 0 unchanged) in ")
    assert result.stderr.splitlines() == [f"line 2: {NO_STATUS}", "Error: 1 line refused"]
    assert result.exit_code == 1
    assert stored(database_url) == [YOGA, PILATES]


def test_no_more_than_a_hundred_bad_lines_are_shown(database_url: str, tmp_path: Path) -> None:
    result = run("import", jsonl(tmp_path, line(status="paused") * 250), DATABASE_URL=database_url)
    told = result.stderr.splitlines()
    assert told[:100] == [f"line {number}: {NO_STATUS}" for number in range(1, 101)]
    assert told[100:] == ["and 150 more bad lines", NOTHING_STORED.format("250 lines")]


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("\0", "must not hold NUL (U+0000)"),
        ("\ud800", "must not hold half of a surrogate pair"),
        (None, "must be a string"),
    ],
)
def test_text_that_postgresql_cannot_hold_is_a_bad_line(
    database_url: str, tmp_path: Path, title: str | None, reason: str
) -> None:
    result = run("import", jsonl(tmp_path, line(title=title)), DATABASE_URL=database_url)
    assert result.stderr.startswith(f"line 1: title: {reason}\n")
    assert result.exit_code == 1


def test_standard_input_is_read(database_url: str) -> None:
    result = run_process("import", "-", stdin=lines(YOGA, PILATES), DATABASE_URL=database_url)
    assert result.stdout.startswith(b"imported 2 calls (2 new, ")
    assert stored(database_url) == [YOGA, PILATES]


def test_an_empty_file_is_no_mistake(database_url: str) -> None:
    result = run("import", "-", stdin=b"", DATABASE_URL=database_url)
    assert result.stdout.startswith("imported 0 calls (0 new, 0 changed, 0 unchanged) in ")
    assert result.exit_code == 0


def test_twenty_thousand_calls_are_stored(database_url: str, tmp_path: Path) -> None:
    calls = many_calls(20_000)
    result = run("import", jsonl(tmp_path, lines(*calls)), DATABASE_URL=database_url)
    assert result.stdout.startswith("imported 20000 calls (20000 new, ")
    assert stored(database_url) == calls


def test_a_file_that_is_not_there_is_a_line(database_url: str) -> None:
    result = run("import", "/not/there.jsonl", DATABASE_URL=database_url)
    assert "'/not/there.jsonl': No such file or directory" in result.stderr
    assert result.exit_code == 2


def test_a_title_that_is_too_long_is_a_bad_line_and_the_longest_is_stored(
    database_url: str, tmp_path: Path
) -> None:
    longest = replace(YOGA, title="🧘" * MAX_TITLE_LENGTH)
    too_long = replace(PILATES, title=longest.title + "x")
    file = jsonl(tmp_path, lines(longest, too_long))
    result = run("import", "--keep-going", file, DATABASE_URL=database_url)
    assert result.stderr.startswith("line 2: title: must have 1000 characters at most\n")
    assert stored(database_url) == [longest]
