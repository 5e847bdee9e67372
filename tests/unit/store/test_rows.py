from datetime import UTC, datetime

import pytest
from sqlalchemy import Column

from server.application.call import CallStatus
from server.store.rows import FIELDS, MAX_CALL_BYTES, TIMESTAMPS, UnreadableRowError, unpack
from server.store.tables import calls as table
from tests.support.data.calls import CALL_ID

YEAR_1 = -63082281600000000
LAST = 252455615999999999


def row(**changes: object) -> tuple[object, ...]:
    """Make a row as read: an ended call, with timestamps in microseconds since 2000."""
    values: dict[str, object] = {
        **dict.fromkeys(FIELDS),
        "id": CALL_ID,
        "host_user_id": "coach-1",
        "title": "Yoga",
        "started_at": YEAR_1,
        "ended_at": LAST,
        "stream_call_type": "livestream",
        "status": "ended",
        "created_at": 0,
        "updated_at": 1,
    }
    return tuple({**values, **changes}[name] for name in FIELDS)


def test_times_are_moments_in_utc_from_the_first_to_the_last() -> None:
    call = unpack(row())
    assert call.scheduled_at is None
    assert call.started_at == datetime(1, 1, 1, tzinfo=UTC)
    assert call.ended_at == datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert (call.created_at, call.updated_at) == (
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2000, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
    )
    assert call.status is CallStatus.ENDED


@pytest.mark.parametrize("name", TIMESTAMPS)
def test_each_time_is_a_moment(name: str) -> None:
    moment = datetime(2000, 1, 1, 0, 0, 0, 7, tzinfo=UTC)
    assert getattr(unpack(row(**{name: 7})), name) == moment


@pytest.mark.parametrize("column", table.c, ids=str)
def test_what_may_be_null_can_be_and_what_may_not_is_an_error(column: Column[object]) -> None:
    if column.nullable:
        assert getattr(unpack(row(**{column.name: None})), column.name) is None
    else:
        with pytest.raises(UnreadableRowError, match=f"{column.name}: null"):
            unpack(row(**{column.name: None}))


@pytest.mark.parametrize("moment", [2**63 - 1, -(2**63), YEAR_1 - 1, LAST + 1])
@pytest.mark.parametrize("name", TIMESTAMPS)
def test_a_time_beyond_the_years_is_an_error_that_names_the_row(name: str, moment: int) -> None:
    with pytest.raises(UnreadableRowError, match=f"{CALL_ID} cannot be read: {name}: not in the years"):
        unpack(row(**{name: moment}))


def test_a_row_that_has_not_changed_makes_the_very_same_call() -> None:
    assert unpack(row()) is unpack(row())


def test_a_row_that_has_changed_makes_another_whatever_has_changed() -> None:
    others = [unpack(row(title="Pilates")), unpack(row(updated_at=2)), unpack(row(status="live"))]
    assert len({unpack(row()), *others}) == 4


def test_a_large_row_is_made_each_time_and_a_status_is_not_quoted_whole() -> None:
    large = row(title="x" * MAX_CALL_BYTES)
    assert unpack(large) == unpack(large)
    assert unpack(large) is not unpack(large)
    with pytest.raises(UnreadableRowError) as raised:
        unpack(row(status="x" * MAX_CALL_BYTES))
    assert len(raised.value.problem) < 100
