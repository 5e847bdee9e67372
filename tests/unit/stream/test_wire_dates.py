"""The dates in what Stream says about a call."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.stream.errors import UnusableResponseError
from tests.support.data.stream_responses import (
    FIELDS,
    MOMENT,
    MOMENT_NS,
    changed,
    read_live_status,
)

DATES = [field for field in FIELDS if field.endswith("_at")]


@pytest.mark.parametrize("value", [MOMENT_NS, MOMENT_NS + 210])
def test_dates_are_nanoseconds_cut_to_microseconds(value: int) -> None:
    assert read_live_status(changed("call.ended_at", value)).ended_at == MOMENT


def test_a_date_may_be_a_whole_float() -> None:
    ended_at = read_live_status(changed("call.ended_at", 1.5e18)).ended_at
    assert ended_at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-08-22T11:34:17.711546789Z", MOMENT),
        ("2024-08-22T11:34:17.711546Z", MOMENT),
        ("2024-08-22t11:34:17.7115469999999z", MOMENT),
        ("2024-08-22T13:04:17.711546789+01:30", MOMENT),
        ("2024-08-22T11:34:17.7115467-00:00", MOMENT),
        ("2024-08-22T11:34:17.7Z", MOMENT.replace(microsecond=700_000)),
        ("2024-08-22T11:34:17Z", MOMENT.replace(microsecond=0)),
        ("1969-12-31T23:59:59.999999999Z", datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_dates_may_be_rfc_3339(text: str, moment: datetime) -> None:
    assert read_live_status(changed("call.ended_at", text)).ended_at == moment


@given(
    st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)),
    st.integers(-24 * 60 + 1, 24 * 60 - 1),
)
def test_any_moment_is_read_in_any_zone(since_1970: timedelta, minutes: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + since_1970
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    assert read_live_status(changed("call.ended_at", there.isoformat())).ended_at == there


def test_dates_are_compared_in_either_form() -> None:
    answer = changed("call.session.live_started_at", "2024-08-22T11:34:17.711546789Z")
    for ended_at, is_live in [(MOMENT_NS - 1, True), (MOMENT_NS, False)]:
        answer["call"]["ended_at"] = ended_at
        assert read_live_status(answer).is_live is is_live


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (-62135596800 * 10**9, datetime(1, 1, 1, tzinfo=UTC)),
        (253402300800 * 10**9 - 1, datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_dates_reach_as_far_as_the_calendar(value: int, moment: datetime) -> None:
    assert read_live_status(changed("call.ended_at", value)).ended_at == moment


@pytest.mark.parametrize("field", DATES)
@pytest.mark.parametrize(
    "value",
    [
        True,
        0.5,
        float("nan"),
        float("inf"),
        "",
        str(MOMENT_NS),
        "2024-08-22",
        "2024-08-22T11:34:17",
        "2024-08-22 11:34:17Z",
        "2024-08-22T11:34Z",
        "2024-08-22T11:34:17,5Z",
        "2024-08-22T11:34:17.Z",
        "2024-08-22T11:34:60Z",
        "2024-02-30T11:34:17Z",
        "2024-08-22T11:34:17+0100",
        "2024-08-22T11:34:17Z ",
        "20240822T113417Z",
        "\u0662024-08-22T11:34:17Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        [],
        {},
        -62135596800 * 10**9 - 1,
        253402300800 * 10**9,
        10**400,
    ],
)
def test_other_dates_are_unusable(field: str, value: object) -> None:
    with pytest.raises(UnusableResponseError, match=rf"^unusable response: {field}$"):
        read_live_status(changed(field, value))
