"""What a request for the stand-in's QueryCalls may ask for: a filter, an order, and pages."""

import json
from typing import Any

import httpx
import pytest
from getstream.models import SortParamRequest

from demo.stream_stand_in.stand_in import KnownCall, State, StreamStandIn

PATH = "/api/v2/video/calls"
FILTER = {"cid": {"$in": ["livestream:call"]}}
BY_ID = [SortParamRequest(field="id")]
CURSOR_AND_SORT = "cannot specify sort and next/prev at the same time"


def put_many(stand_in: StreamStandIn, count: int) -> dict[str, object]:
    """Make so many calls known, and return the filter that finds all of them."""
    calls = [stand_in.put("livestream", f"call-{number:03}") for number in range(count)]
    return {"cid": {"$in": [call.cid for call in calls]}}


def ids(response: Any) -> list[str]:
    return [item.call.id for item in response.data.calls]


@pytest.mark.parametrize(("limit", "expected"), [(None, 25), (1, 1), (26, 26), (100, 100)])
async def test_a_page_has_as_many_calls_as_the_limit_says(
    sdk: Any, stand_in: StreamStandIn, limit: int | None, expected: int
) -> None:
    conditions = put_many(stand_in, 101)
    response = await sdk.video.query_calls(filter_conditions=conditions, limit=limit, sort=BY_ID)
    assert ids(response) == [f"call-{number:03}" for number in range(expected)]
    assert response.data.next
    assert response.data.prev is None


async def test_pages_lead_to_each_other(sdk: Any, stand_in: StreamStandIn) -> None:
    asked: dict[str, Any] = {"filter_conditions": put_many(stand_in, 5), "limit": 2}
    pages = [await sdk.video.query_calls(**asked, sort=BY_ID)]
    while cursor := pages[-1].data.next:
        pages.append(await sdk.video.query_calls(**asked, next=cursor))
    assert [ids(page) for page in pages] == [
        ["call-000", "call-001"],
        ["call-002", "call-003"],
        ["call-004"],
    ]
    back = await sdk.video.query_calls(**asked, prev=pages[-1].data.prev)
    assert (ids(back), back.data.next) == (ids(pages[1]), pages[1].data.next)
    back = await sdk.video.query_calls(**asked, prev=back.data.prev)
    assert (ids(back), back.data.prev) == (ids(pages[0]), None)


async def test_a_last_page_that_is_full_leads_no_further(sdk: Any, stand_in: StreamStandIn) -> None:
    asked: dict[str, Any] = {"filter_conditions": put_many(stand_in, 4), "limit": 2}
    first = await sdk.video.query_calls(**asked)
    last = await sdk.video.query_calls(**asked, next=first.data.next)
    assert (len(last.data.calls), last.data.next) == (2, None)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (None, ["late", "middle", "early"]),
        ([("created_at", None)], ["early", "middle", "late"]),
        ([("starts_at", -1)], ["late", "middle", "early"]),
        ([("id", -1)], ["middle", "late", "early"]),
        ([("ended_at", 1), ("updated_at", 1)], ["late", "early", "middle"]),
        ([("ended_at", -1), ("updated_at", -1)], ["middle", "early", "late"]),
    ],
)
async def test_calls_are_sorted(
    sdk: Any,
    stand_in: StreamStandIn,
    sort: list[tuple[str, int | None]] | None,
    expected: list[str],
) -> None:
    for number, call_id in enumerate(["early", "middle", "late"], 1):
        state = State.ENDED if call_id == "late" else State.ON_AIR
        stand_in.know(KnownCall("livestream", call_id, state, since_ns=number * 10**18))
    order = sort and [SortParamRequest(field=field, direction=to) for field, to in sort]
    conditions = {"cid": {"$in": ["livestream:middle", "livestream:late", "livestream:early"]}}
    assert ids(await sdk.video.query_calls(filter_conditions=conditions, sort=order)) == expected


def test_sort_and_a_cursor_exclude_each_other(signed: httpx.Client, stand_in: StreamStandIn) -> None:
    asked = {"filter_conditions": put_many(stand_in, 3), "limit": 1}
    cursor = signed.post(PATH, json=asked).json()["next"]
    for name in ("next", "prev"):
        reply = signed.post(PATH, json=asked | {name: cursor, "sort": [{"field": "id"}]})
        assert reply.json()["message"] == f'QueryCalls failed with error: "{CURSOR_AND_SORT}"'
    reply = signed.post(PATH, json=asked | {"next": cursor, "prev": cursor})
    assert (reply.status_code, reply.json()["code"]) == (400, 4)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ("null", "Input should be an object"),
        ("[]", "Input should be an object"),
        ({}, "filter_conditions: "),
        ({"filter_conditions": None}, "filter_conditions: "),
        ({"filter_conditions": {}}, "filter_conditions.cid: "),
        ({"filter_conditions": {"id": {"$in": ["call"]}}}, "filter_conditions.cid: "),
        ({"filter_conditions": FILTER | {"backstage": {"$eq": False}}}, "filter_conditions.backstage: "),
        ({"filter_conditions": {"$or": [FILTER]}}, "filter_conditions.cid: "),
        ({"filter_conditions": {"cid": "livestream:call"}}, "filter_conditions.cid: "),
        ({"filter_conditions": {"cid": {}}}, "filter_conditions.cid: "),
        ({"filter_conditions": {"cid": {"$gt": "a:b"}}}, "filter_conditions.cid.$gt: "),
        ({"filter_conditions": {"cid": {"$eq": "a:b", "$in": ["a:b"]}}}, "filter_conditions.cid: "),
        ({"filter_conditions": {"cid": {"$eq": ["a:b"]}}}, "filter_conditions.cid.$eq: "),
        ({"filter_conditions": {"cid": {"$in": "a:b"}}}, "filter_conditions.cid.$in: "),
        ({"filter_conditions": {"cid": {"$in": []}}}, "filter_conditions.cid.$in: "),
        ({"filter_conditions": {"cid": {"$in": ["a:b", 7]}}}, "filter_conditions.cid.$in.1: "),
        ({"filter_conditions": {"cid": {"$in": ["a:b", "c"]}}}, "filter_conditions.cid.$in.1: "),
        ({"filter_conditions": {"cid": {"$in": [":b"]}}}, "filter_conditions.cid.$in.0: "),
        ({"filter_conditions": FILTER, "limit": 101}, "limit must be 100 or less"),
        ({"filter_conditions": FILTER, "limit": 0}, "limit: "),
        ({"filter_conditions": FILTER, "limit": -1}, "limit: "),
        ({"filter_conditions": FILTER, "limit": "25"}, "limit: "),
        ({"filter_conditions": FILTER, "limit": 1.5}, "limit: "),
        ({"filter_conditions": FILTER, "limit": True}, "limit: "),
        ({"filter_conditions": FILTER, "sort": {}}, "sort: "),
        ({"filter_conditions": FILTER, "sort": [{}]}, "sort.0.field: "),
        ({"filter_conditions": FILTER, "sort": [{"field": "host"}]}, "sort.0.field: "),
        ({"filter_conditions": FILTER, "sort": [{"field": "id", "direction": 2}]}, "sort.0.direction: "),
        ({"filter_conditions": FILTER, "sort": [{"field": "id"}] * 3}, "sort: "),
        ({"filter_conditions": FILTER, "next": "nonsense"}, "next: the cursor is not valid"),
        ({"filter_conditions": FILTER, "next": "ü"}, "next: the cursor is not valid"),
        ({"filter_conditions": FILTER, "prev": 7}, "prev: the cursor is not valid"),
    ],
)
def test_what_is_malformed_or_unknown_to_it_is_refused_in_stream_s_envelope(
    signed: httpx.Client, stand_in: StreamStandIn, body: str | dict[str, object], where: str
) -> None:
    stand_in.put("livestream", "call")
    reply = signed.post(PATH, content=body if isinstance(body, str) else json.dumps(body))
    assert (reply.status_code, reply.json()["StatusCode"], reply.json()["code"]) == (400, 400, 4)
    assert reply.json()["message"].startswith(f'QueryCalls failed with error: "{where}')
    assert reply.headers["X-RateLimit-Limit"] == "300"
    assert stand_in.queries == []


def test_fields_that_are_null_or_of_other_versions_are_passed_over(
    signed: httpx.Client, stand_in: StreamStandIn
) -> None:
    stand_in.put("livestream", "call")
    unset = dict.fromkeys(["limit", "sort", "next", "prev"])
    for more in (unset, {"watch": False}, {"sort": [{"field": "id", "direction": None, "type": ""}]}):
        reply = signed.post(PATH, json={"filter_conditions": FILTER} | more)
        assert [item["call"]["id"] for item in reply.json()["calls"]] == ["call"]
