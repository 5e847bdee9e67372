import json
from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.stream.errors import UnusableResponseError
from server.adapters.stream.wire import is_addressable
from server.application.call import LiveStatus
from tests.support.data.stream_responses import (
    FIELDS,
    MOMENT,
    MOMENT_NS,
    ON_AIR,
    OPTIONAL,
    REQUIRED,
    changed,
    read_live_status,
    without,
)

ENDS = ["call.ended_at", "call.session.live_ended_at"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


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
