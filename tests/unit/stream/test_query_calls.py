"""The body of QueryCalls, and how its response is read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamFailedError,
    UnusableResponseError,
)
from server.adapters.stream.query_calls import is_queryable, query_of, read_live_statuses
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus

A, B, C = CALLS = [("livestream", "a"), ("livestream", "b"), ("default", "a")]
OFF_AIR = LiveStatus(is_live=False, current_session_id=None, ended_at=None)
ENDINGS: list[dict[str, Any]] = [{}, {"next": None}, {"next": ""}, {"prev": "cursor"}]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def item(call: StreamCall, **changes: object) -> dict[str, Any]:
    cid = ":".join(call)
    return {"call": {"cid": cid, "backstage": True, "current_session_id": "", **changes}, "members": []}


def read_response(response: object) -> dict[StreamCall, LiveStatus | StreamError]:
    return read_live_statuses(json.dumps(response).encode(), CALLS)


def read(*items: object, **more: object) -> list[LiveStatus | tuple[type[StreamError], str]]:
    """Read a response of items; return what there is of each call."""
    statuses = read_response({"calls": [*items], "duration": "1ms", **more})
    assert statuses.keys() == set(CALLS)
    return [
        status if isinstance(status, LiveStatus) else (type(status), str(status))
        for status in map(statuses.__getitem__, CALLS)
    ]


NOT_FOUND = (StreamCallNotFoundError, "")
NO_CID = (UnusableResponseError, "unusable response: call.cid")


def test_calls_are_asked_for_by_their_cids_always_with_room_for_a_hundred() -> None:
    cids = ["livestream:a", "livestream:b", "default:a"]
    assert query_of(CALLS) == {"filter_conditions": {"cid": {"$in": cids}}, "limit": 100}


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 64, "-", "22222222-2222-4222-8222-222222222222"])
def test_names_as_stream_gives_them_out_may_be_queried(name: str) -> None:
    assert is_queryable((name, "a"))
    assert is_queryable(("a", name))


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a/b", "a.b", "x" * 65, "ä", "a\n", "\u0661", "a,b"])
def test_others_may_not(name: str) -> None:
    assert not is_queryable((name, "a"))
    assert not is_queryable(("a", name))


@pytest.mark.parametrize("more", ENDINGS)
def test_each_call_has_the_status_of_its_item_in_whatever_order(more: dict[str, Any]) -> None:
    on_air = item(B, backstage=False, current_session_id="s", session={"live_started_at": 1})
    expected = LiveStatus(is_live=True, current_session_id="s", ended_at=None)
    assert read(item(C), on_air, item(A), **more) == [OFF_AIR, expected, OFF_AIR]


def test_a_call_that_is_absent_is_not_found() -> None:
    assert read(item(B)) == [NOT_FOUND, OFF_AIR, NOT_FOUND]


def test_so_are_all_of_them() -> None:
    assert read() == [NOT_FOUND] * 3


def test_a_page_with_all_calls_may_have_a_next_one() -> None:
    assert read(*map(item, CALLS), next="cursor") == [OFF_AIR] * 3


@pytest.mark.parametrize("page", [[], [item(A), item(B)]])
@pytest.mark.parametrize("cursor", ["cursor", 1, {"a": 1}])
def test_a_page_without_all_calls_must_be_the_last(page: list[object], cursor: object) -> None:
    with pytest.raises(StreamFailedError, match="a page without all of its calls"):
        read(*page, next=cursor)


def test_of_two_items_of_a_call_the_first_counts() -> None:
    twice = [item(A), item(A, current_session_id="s"), item(A, backstage=None)]
    assert read(*twice) == [OFF_AIR, NOT_FOUND, NOT_FOUND]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"backstage": "false"}, "call.backstage"),
        ({"current_session_id": None}, "call.current_session_id"),
        ({"ended_at": "yesterday"}, "call.ended_at"),
        ({"session": []}, "call.session"),
    ],
)
def test_an_item_that_is_unusable_is_so_for_its_call_alone(changes: dict[str, Any], field: str) -> None:
    unusable = (UnusableResponseError, f"unusable response: {field}")
    assert read(item(A), item(B, **changes)) == [OFF_AIR, unusable, NOT_FOUND]


STRAY: list[object] = [
    None,
    1,
    "a",
    [],
    {},
    {"call": None},
    {"call": []},
    item(A, cid=None),
    item(A, cid=7),
    item(A, cid=""),
    item(("livestream", "z")),
    item(("LIVESTREAM", "b")),
]


@pytest.mark.parametrize("stray", STRAY)
def test_an_item_of_no_call_that_was_asked_for_may_be_of_any_that_is_absent(stray: object) -> None:
    assert read(item(A), stray) == [OFF_AIR, NO_CID, NO_CID]
    assert read(stray, item(A), item(B), item(C)) == [OFF_AIR] * 3


@pytest.mark.parametrize("stray", STRAY)
def test_if_there_are_no_others_the_response_is_unusable(stray: object) -> None:
    with pytest.raises(UnusableResponseError, match=r"call\.cid"):
        read(stray, stray)


@pytest.mark.parametrize("others", [[], [item(B, session=7)]])
def test_if_no_item_is_usable_the_response_is_not(others: list[object]) -> None:
    with pytest.raises(UnusableResponseError, match=r"call\.backstage"):
        read(item(A, backstage=1), *others)


@pytest.mark.parametrize(
    "response",
    [{}, {"calls": None}, {"calls": {}}, {"calls": "abc"}, {"calls": [item(A)] * 101}],
)
def test_without_a_list_of_calls_it_is_unusable(response: object) -> None:
    with pytest.raises(UnusableResponseError, match="unusable response: calls"):
        read_response(response)


@pytest.mark.parametrize("response", [None, 1, "calls", [], [item(A)]])
def test_what_is_no_object_is_unusable(response: object) -> None:
    with pytest.raises(UnusableResponseError, match="unusable response: body"):
        read_response(response)


fields = st.sampled_from(["backstage", "current_session_id", "ended_at", "session", "cid", "id"])
items = (
    json_values
    | st.builds(lambda call: {"call": call}, json_values)
    | st.builds(item, st.sampled_from([*CALLS, ("livestream", "z")]))
    | st.builds(
        lambda call, changes: item(call, **changes),
        st.sampled_from(CALLS),
        st.dictionaries(fields, json_values, max_size=2),
    )
)
responses = st.fixed_dictionaries({"calls": st.lists(items, max_size=6)}, optional={"next": json_values})


@given(responses | json_values)
def test_any_json_is_read_or_unusable(response: object) -> None:
    try:
        statuses = read_response(response)
    except StreamError:
        return
    assert statuses.keys() == set(CALLS)
    assert all(isinstance(status, LiveStatus | StreamError) for status in statuses.values())
