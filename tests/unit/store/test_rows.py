from datetime import UTC, datetime

import pytest

from server.application.call import CallStatus
from server.store.rows import FIELDS, unpacked
from tests.support.calls import CALL_ID

YEAR_1 = -63082281600000000
LAST = 252455615999999999


def row(**changes: object) -> tuple[object, ...]:
    """Make a row as it comes: an ended call, with times in microseconds since 2000."""
    values: dict[str, object] = {
        "id": CALL_ID,
        "host_user_id": "coach-1",
        "title": "Yoga",
        "scheduled_at": None,
        "started_at": YEAR_1,
        "ended_at": LAST,
        "stream_call_id": None,
        "stream_call_type": "livestream",
        "recording_url": None,
        "recording_ready_at": None,
        "status": "ended",
        "created_at": 0,
        "updated_at": 1,
    }
    return tuple({**values, **changes}[name] for name in FIELDS)


def test_times_are_moments_in_utc_from_the_first_to_the_last() -> None:
    call = unpacked(row())
    assert call.scheduled_at is None
    assert call.started_at == datetime(1, 1, 1, tzinfo=UTC)
    assert call.ended_at == datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert (call.created_at, call.updated_at) == (
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    )
    assert call.status is CallStatus.ENDED


@pytest.mark.parametrize("name", [name for name in FIELDS if name.endswith("_at")])
def test_each_time_is_a_moment_or_null(name: str) -> None:
    moment = datetime(2000, 1, 1, 0, 0, 0, 7, tzinfo=UTC)
    assert getattr(unpacked(row(**{name: 7})), name) == moment
    assert getattr(unpacked(row(**{name: None})), name) is None


def test_a_row_that_has_not_changed_makes_the_very_same_call() -> None:
    assert unpacked(row()) is unpacked(row())


def test_a_row_that_has_changed_makes_another_whatever_has_changed() -> None:
    others = [unpacked(row(title="Pilates")), unpacked(row(updated_at=2)), unpacked(row(status="live"))]
    assert len({unpacked(row()), *others}) == 4
