import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.stream import wire
from server.adapters.stream.errors import UnusableResponseError
from server.adapters.stream.wire import is_addressable
from server.application.call import LiveStatus

MOMENT_NS = 1724326457711546789
MOMENT = datetime(2024, 8, 22, 11, 34, 17, 711546, tzinfo=UTC)

ON_AIR = {
    "call": {
        "id": "of no interest",
        "cid": "livestream:call",
        "backstage": False,
        "ended_at": None,
        "current_session_id": "session-1",
        "session": {"live_started_at": MOMENT_NS, "live_ended_at": None, "ended_at": None},
    },
    "duration": "1ms",
}
REQUIRED = ["call", "call.backstage", "call.current_session_id"]
OPTIONAL = [
    "call.ended_at",
    "call.session",
    "call.session.live_started_at",
    "call.session.live_ended_at",
    "call.session.ended_at",
]
FIELDS = [*REQUIRED, *OPTIONAL, "call.cid"]
DATES = [field for field in FIELDS if field.endswith("_at")]
ENDS = ["call.ended_at", "call.session.live_ended_at"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read_live_status(answer: object) -> LiveStatus:
    """Read GetCall's response; an item of QueryCalls' that is decoded already says the same."""
    body = json.dumps(answer).encode()
    decoded = outcome(lambda: wire.read_live_status(json.loads(body), "livestream", "call"))
    status = outcome(lambda: wire.read_get_call(body, "livestream", "call"))
    assert repr(status) == repr(decoded)
    if isinstance(status, Exception):
        raise status
    return status


def outcome(read: Callable[[], LiveStatus]) -> LiveStatus | UnusableResponseError:
    try:
        return read()
    except UnusableResponseError as error:
        return error


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


@pytest.mark.parametrize("field", ENDS)
@pytest.mark.parametrize("before", [1, 1000, 3600 * 10**9])
def test_an_end_before_the_last_start_is_over(field: str, before: int) -> None:
    assert read_live_status(changed(field, MOMENT_NS - before)).is_live is True


@pytest.mark.parametrize("field", ENDS)
@pytest.mark.parametrize("after", [0, 1, 3600 * 10**9])
def test_an_end_at_or_after_the_last_start_ends_it(field: str, after: int) -> None:
    assert read_live_status(changed(field, MOMENT_NS + after)).is_live is False


def test_when_it_was_last_ended_is_told_of_a_call_that_is_on_air_again() -> None:
    assert read_live_status(changed("call.ended_at", MOMENT_NS - 1000)) == LiveStatus(
        is_live=True, current_session_id="session-1", ended_at=MOMENT - timedelta(microseconds=1)
    )


def test_a_session_that_has_ended_is_over_whenever_it_went_live() -> None:
    assert read_live_status(changed("call.session.ended_at", MOMENT_NS - 1)).is_live is False


def test_no_session_yet_is_none() -> None:
    assert read_live_status(changed("call.current_session_id", "")).current_session_id is None


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


@pytest.mark.parametrize("field", REQUIRED)
def test_what_the_schema_requires_is_needed(field: str) -> None:
    with pytest.raises(UnusableResponseError, match=rf"^unusable response: {field}$"):
        read_live_status(without(field))


@pytest.mark.parametrize("field", OPTIONAL)
def test_what_the_schema_does_not_require_is_null_if_it_is_absent(field: str) -> None:
    assert read_live_status(without(field)) == read_live_status(changed(field, None))


def test_an_answer_with_what_is_required_alone_is_off_air() -> None:
    answer = {"call": {"backstage": False, "current_session_id": "", "cid": "livestream:call"}}
    off_air = LiveStatus(is_live=False, current_session_id=None, ended_at=None)
    assert read_live_status(answer) == off_air
    assert read_live_status({"call": {**answer["call"], "session": {}}}) == off_air


@pytest.mark.parametrize("cid", ["livestream:other", "default:call", "livestream:Call", "call", ""])
def test_an_answer_about_another_call_is_unusable(cid: str) -> None:
    with pytest.raises(UnusableResponseError, match=r"^unusable response: call\.cid is another call's$"):
        read_live_status(changed("call.cid", cid))


@pytest.mark.parametrize("answer", [changed("call.cid", None), without("call.cid")])
def test_an_answer_that_names_no_call_is_about_the_one_asked_for(answer: object) -> None:
    assert read_live_status(answer).is_live is True


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("call", None),
        ("call", []),
        ("call.backstage", None),
        ("call.backstage", 0),
        ("call.backstage", "false"),
        ("call.cid", 7),
        ("call.current_session_id", None),
        ("call.current_session_id", 7),
        ("call.current_session_id", "half a pair: \ud800"),
        ("call.current_session_id", "x" * 256),
        ("call.session", []),
        ("call.session", "session-1"),
    ],
)
def test_wrong_types_are_unusable(field: str, value: object) -> None:
    with pytest.raises(UnusableResponseError, match=rf"^unusable response: {field}$"):
        read_live_status(changed(field, value))


@pytest.mark.parametrize("answer", [None, [], "call", 1, True])
def test_what_is_no_object_is_unusable(answer: object) -> None:
    with pytest.raises(UnusableResponseError, match="body"):
        read_live_status(answer)


def test_the_value_is_not_told() -> None:
    with pytest.raises(UnusableResponseError) as caught:
        read_live_status(changed("call.current_session_id", ["private"]))
    assert "private" not in f"{caught.value!r}{caught.value.__cause__!r}"


@given(json_values)
def test_any_json_is_read_or_unusable(answer: object) -> None:
    with pytest.raises(UnusableResponseError):
        read_live_status(answer)


@given(st.sampled_from(FIELDS), json_values)
def test_any_field_is_read_or_unusable(field: str, value: object) -> None:
    try:
        status = read_live_status(changed(field, value))
    except UnusableResponseError:
        return
    json.dumps(status.current_session_id, ensure_ascii=False).encode()
    assert status.ended_at is None or status.ended_at.tzinfo is UTC


@pytest.mark.parametrize("name", ["a", "a/b", "%2e%2e", "...", "..a", " ", "ü" * 64, "{id}", "?x=1"])
def test_odd_names_can_be_asked(name: str) -> None:
    assert is_addressable("livestream", name)
    assert is_addressable(name, "call")


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 65])
def test_names_that_address_no_call_cannot(name: str) -> None:
    assert not is_addressable("livestream", name)
    assert not is_addressable(name, "call")
