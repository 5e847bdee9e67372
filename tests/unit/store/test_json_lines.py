import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import pytest
from hypothesis import given

from server.application.call import Call, CallStatus
from server.store.json_lines import MAX_LINE_BYTES, Line, read_lines, write_line
from tests.support.data import documented
from tests.support.data.any_call import any_call
from tests.support.data.calls import CALL_ID, MOMENT, PLAIN_CALL, numbered_id
from tests.support.machine.commands import line, lines

YOGA, PILATES = PLAIN_CALL, replace(PLAIN_CALL, id=numbered_id(1), title="Pilates")


def read(content: bytes) -> list[Line]:
    return list(read_lines(BytesIO(content)))


def test_a_call_is_written_in_the_documented_shape_and_order_without_live() -> None:
    call = replace(
        PLAIN_CALL,
        title='Zoë\'s "yoga" 🧘\n',
        scheduled_at=MOMENT,
        status=CallStatus.LIVE,
        created_at=MOMENT.replace(microsecond=0),
    )
    values = {
        **dict.fromkeys(documented.FIELDS),
        "id": CALL_ID,
        "host_user_id": "coach-1",
        "title": 'Zoë\'s "yoga" 🧘\n',
        "scheduled_at": "2026-05-04T03:02:01.123456Z",
        "stream_call_type": "livestream",
        "status": "live",
        "created_at": "2026-05-04T03:02:01Z",
        "updated_at": "2026-05-04T03:02:01.123456Z",
    }
    written = write_line(call).decode()
    assert written == json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n"
    assert '"title":"Zoë\'s \\"yoga\\" 🧘\\n","scheduled_at":"2026-05-04T03:02:01.123456Z",' in written


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT.replace(microsecond=0), "2026-05-04T03:02:01Z"),
        (MOMENT.replace(microsecond=120_000), "2026-05-04T03:02:01.120Z"),
        (MOMENT.replace(microsecond=120), "2026-05-04T03:02:01.000120Z"),
        (MOMENT.replace(tzinfo=timezone(timedelta(hours=2))), "2026-05-04T01:02:01.123456Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_date_times_are_written_as_the_rest_face_prints_them(moment: datetime, text: str) -> None:
    assert f'"ended_at":"{text}"' in write_line(replace(PLAIN_CALL, ended_at=moment)).decode()


@given(any_call)
def test_what_is_written_is_read_as_it_was_and_written_the_same(call: Call) -> None:
    ((read_back),) = read(write_line(call))
    assert read_back == Line(1, call)
    assert read_back.call is not None
    assert write_line(read_back.call) == write_line(call)


@pytest.mark.parametrize(
    "content",
    [
        lines(YOGA, PILATES),
        lines(YOGA, PILATES).rstrip(b"\n"),
        lines(YOGA, PILATES).replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + lines(YOGA, PILATES),
    ],
    ids=["plain", "no end", "CRLF", "byte order mark"],
)
def test_lines_end_and_files_begin_as_they_like(content: bytes) -> None:
    assert read(content) == [Line(1, YOGA), Line(2, PILATES)]


def test_blank_lines_are_counted_and_passed_over() -> None:
    assert read(b"\n" + lines(YOGA) + b" \t\r\n\n" + lines(PILATES)) == [Line(2, YOGA), Line(5, PILATES)]


def test_an_empty_file_holds_no_lines() -> None:
    assert read(b"") == []


@pytest.mark.parametrize("length", [MAX_LINE_BYTES + 1, MAX_LINE_BYTES + 2, 3 * MAX_LINE_BYTES])
def test_a_line_too_long_is_refused_and_the_next_one_read(length: int) -> None:
    long = b"\xef\xbb\xbf" + b" " * (length - 3) + b"\n"
    assert read(long + lines(YOGA)) == [Line(1, None, "is longer than 67,108,864 bytes"), Line(2, YOGA)]


def test_the_longest_line_is_read() -> None:
    padded = lines(YOGA).rstrip().ljust(MAX_LINE_BYTES)
    assert read(padded + b"\n" + padded) == [Line(1, YOGA), Line(2, YOGA)]


def test_a_last_line_too_long_is_refused() -> None:
    assert [line.call for line in read(b"x" * (MAX_LINE_BYTES + 1))] == [None]


def test_lines_are_read_one_at_a_time() -> None:
    file = BytesIO(lines(YOGA, PILATES))
    next(read_lines(file))
    assert file.tell() == len(lines(YOGA))


def test_good_lines_are_read_after_bad_ones() -> None:
    bad = Line(1, None, "status: must be one of scheduled, live, ended, errored")
    assert read(line(status="paused") + lines(YOGA)) == [bad, Line(2, YOGA)]
