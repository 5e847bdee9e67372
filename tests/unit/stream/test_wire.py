import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.stream.errors import UnusableAnswerError
from server.adapters.stream.wire import can_be_asked, read_live_status
from server.application.call import LiveStatus

MOMENT_NS = 1724326457711546789
MOMENT = datetime(2024, 8, 22, 11, 34, 17, 711546, tzinfo=UTC)

ON_AIR = {
    "call": {
        "id": "of no interest",
        "backstage": False,
        "ended_at": None,
        "current_session_id": "session-1",
        "session": {"live_started_at": MOMENT_NS, "live_ended_at": None, "ended_at": None},
    },
    "duration": "1ms",
}
FIELDS = [
    "call",
    "call.backstage",
    "call.ended_at",
    "call.current_session_id",
    "call.session",
    "call.session.live_started_at",
    "call.session.live_ended_at",
    "call.session.ended_at",
]
DATES = [field for field in FIELDS if field.endswith("_at")]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def changed(field: str, value: Any) -> dict[str, Any]:
    answer: dict[str, Any] = deepcopy(ON_AIR)
    *parents, last = field.split(".")
    part = answer
    for name in parents:
        part = part[name]
    part[last] = value
    return answer


def without(field: str) -> dict[str, Any]:
    answer = changed(field, None)
    *parents, last = field.split(".")
    part = answer
    for name in parents:
        part = part[name]
    del part[last]
    return answer


def test_on_air() -> None:
    assert read_live_status(ON_AIR) == LiveStatus(
        is_live=True, current_session_id="session-1", ended_at=None
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call.backstage", True),
        ("call.ended_at", MOMENT_NS),
        ("call.session", None),
        ("call.session.live_started_at", None),
        ("call.session.live_ended_at", MOMENT_NS),
        ("call.session.ended_at", MOMENT_NS),
    ],
)
def test_off_air(field: str, value: object) -> None:
    assert read_live_status(changed(field, value)).is_live is False


def test_no_session_yet_is_none() -> None:
    assert read_live_status(changed("call.current_session_id", "")).current_session_id is None


@pytest.mark.parametrize("value", [MOMENT_NS, MOMENT_NS + 210])
def test_dates_are_nanoseconds_cut_to_microseconds(value: int) -> None:
    assert read_live_status(changed("call.ended_at", value)).ended_at == MOMENT


def test_a_date_may_be_a_whole_float() -> None:
    ended_at = read_live_status(changed("call.ended_at", 1.5e18)).ended_at
    assert ended_at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)


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
        "2024-08-22T11:34:17Z",
        str(MOMENT_NS),
        [],
        {},
        -62135596800 * 10**9 - 1,
        253402300800 * 10**9,
        10**400,
    ],
)
def test_other_dates_are_unusable(field: str, value: object) -> None:
    with pytest.raises(UnusableAnswerError, match=rf"^unusable answer: {field}$"):
        read_live_status(changed(field, value))


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_needed(field: str) -> None:
    with pytest.raises(UnusableAnswerError, match=rf"^unusable answer: {field}$"):
        read_live_status(without(field))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call", None),
        ("call", []),
        ("call.backstage", None),
        ("call.backstage", 0),
        ("call.backstage", "false"),
        ("call.current_session_id", None),
        ("call.current_session_id", 7),
        ("call.current_session_id", "half a pair: \ud800"),
        ("call.current_session_id", "x" * 256),
        ("call.session", []),
        ("call.session", "session-1"),
    ],
)
def test_wrong_types_are_unusable(field: str, value: object) -> None:
    with pytest.raises(UnusableAnswerError, match=rf"^unusable answer: {field}$"):
        read_live_status(changed(field, value))


@pytest.mark.parametrize("answer", [None, [], "call", 1, True])
def test_what_is_no_object_is_unusable(answer: object) -> None:
    with pytest.raises(UnusableAnswerError, match="body"):
        read_live_status(answer)


def test_the_value_is_not_told() -> None:
    with pytest.raises(UnusableAnswerError) as caught:
        read_live_status(changed("call.current_session_id", ["private"]))
    assert "private" not in f"{caught.value!r}{caught.value.__cause__!r}"


@given(json_values)
def test_any_json_is_read_or_unusable(answer: object) -> None:
    with pytest.raises(UnusableAnswerError):
        read_live_status(answer)


@given(st.sampled_from(FIELDS), json_values)
def test_any_field_is_read_or_unusable(field: str, value: object) -> None:
    try:
        status = read_live_status(changed(field, value))
    except UnusableAnswerError:
        return
    json.dumps(status.current_session_id, ensure_ascii=False).encode()
    assert status.ended_at is None or status.ended_at.tzinfo is UTC


@pytest.mark.parametrize("name", ["a", "a/b", "%2e%2e", "...", "..a", " ", "ü" * 64, "{id}", "?x=1"])
def test_odd_names_can_be_asked(name: str) -> None:
    assert can_be_asked("livestream", name)
    assert can_be_asked(name, "call")


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 65])
def test_names_that_address_no_call_cannot(name: str) -> None:
    assert not can_be_asked("livestream", name)
    assert not can_be_asked(name, "call")
