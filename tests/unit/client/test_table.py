from datetime import UTC, datetime
from typing import Any

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from client.rest_json import to_json
from client.table import sanitize, table

MOMENT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
SAID = "2026-05-04 03:02:01 UTC"
ON_AIR = pb.LiveStatus(is_live=True, current_session_id="s-1")


def row(label: str, **values: Any) -> str:
    call = pb.Call(**{"id": "a", "status": pb.CALL_STATUS_LIVE, **values})
    rows = [line.split("  ", 1) for line in table(to_json(call)).splitlines()]
    (value,) = (rest.strip() for name, rest in rows if name == label)
    return value


def test_a_call_is_a_table() -> None:
    call = pb.Call(
        id="a-1",
        host_user_id="coach-7",
        title="Yoga",
        started_at=MOMENT,
        stream_call_id="demo",
        stream_call_type="livestream",
        status=pb.CALL_STATUS_LIVE,
        created_at=MOMENT,
        updated_at=MOMENT,
        live=ON_AIR,
    )
    assert table(to_json(call)).splitlines() == [
        "Title        Yoga",
        f"Status       live, since {SAID}",
        "Stream says  on air, session s-1",
        "Recording    -",
        "Scheduled    -",
        f"Started      {SAID}",
        "Ended        -",
        "Call         a-1",
        "Host         coach-7",
        "Stream call  livestream, demo",
        f"Created      {SAID}",
        f"Updated      {SAID}",
    ]


@pytest.mark.parametrize(
    ("status", "field", "said"),
    [
        (pb.CALL_STATUS_SCHEDULED, "scheduled_at", f"scheduled, for {SAID}"),
        (pb.CALL_STATUS_LIVE, "started_at", f"live, since {SAID}"),
        (pb.CALL_STATUS_ENDED, "ended_at", f"ended, since {SAID}"),
        (pb.CALL_STATUS_ENDED, "started_at", "ended"),
        (pb.CALL_STATUS_ERRORED, "started_at", "errored"),
        (pb.CALL_STATUS_UNSPECIFIED, "started_at", "unknown"),
    ],
)
def test_a_status_says_since_when_where_that_is_known(status: int, field: str, said: str) -> None:
    assert row("Status", status=status, **{field: MOMENT}) == said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "live state unknown: the call has no id at Stream"),
        (
            {"stream_call_id": "x"},
            "live state unknown: Stream was not asked, has no such call, or did not answer in time",
        ),
        ({"live": pb.LiveStatus()}, "not on air"),
        (
            {"live": pb.LiveStatus(current_session_id="s", ended_at=MOMENT)},
            f"not on air, ended {SAID}, session s",
        ),
        (
            {"live": pb.LiveStatus(is_live=True, current_session_id="s", ended_at=MOMENT)},
            f"on air, last ended {SAID}, session s",
        ),
    ],
)
def test_what_stream_says_is_never_guessed(values: dict[str, Any], said: str) -> None:
    assert row("Stream says", **values) == said


def test_a_recording_says_since_when_it_is_ready() -> None:
    assert row("Recording", recording_url="https://a") == "https://a"
    ready = row("Recording", recording_url="https://a", recording_ready_at=MOMENT)
    assert ready == f"https://a, ready since {SAID}"


def test_what_is_empty_is_no_dash() -> None:
    assert row("Title", title="") == '""'
    assert row("Stream call", stream_call_type="livestream") == "livestream, -"


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[2J\x1b]0;root\x07", r"\u001b[2J\u001b]0;root\u0007"),
        ("a\nStatus       ended\r", r"a\u000aStatus       ended\u000d"),
        ("\u202eevil\u2066\u2069\u200f", r"\u202eevil\u2066\u2069\u200f"),
        ("\x9b31m\u2028\U000e0001", r"\u009b31m\u2028\udb40\udc01"),
        ("क्\u200dष 👩\u200d💻", "क्\u200dष 👩\u200d💻"),
    ],
)
def test_a_terminal_obeys_nothing(hostile: str, harmless: str) -> None:
    assert sanitize(hostile) == harmless
    assert row("Title", title=hostile) == harmless
    assert row("Recording", recording_url=hostile) == harmless
    assert row("Stream call", stream_call_type="x", stream_call_id=hostile) == f"x, {harmless}"
    live = pb.LiveStatus(current_session_id=hostile)
    assert row("Stream says", live=live) == f"not on air, session {harmless}"
