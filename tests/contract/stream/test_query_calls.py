"""The stand-in's QueryCalls must pass for Stream's: its format, who may ask, and what it finds."""

from typing import Any

import httpx
import pytest
from getstream.exceptions import StreamApiException
from getstream.models import SortParamRequest

from demo.stream_stand_in.stand_in import State, StreamStandIn
from tests.support.stand_ins.stream import UNAUTHENTICATED

PATH = "/api/v2/video/calls"
CID = "livestream:call"


def by_cid(*cids: str) -> dict[str, object]:
    return {"cid": {"$in": list(cids)}}


@pytest.mark.parametrize("state", State)
async def test_the_sdk_reads_every_state_with_its_own_types(
    sdk: Any, stand_in: StreamStandIn, state: State
) -> None:
    # The SDK warns of every missing field, and here warnings are errors.
    known = stand_in.put("livestream", "call", state)
    response = await sdk.video.query_calls(filter_conditions=by_cid(CID))
    (item,) = response.data.calls
    assert (item.call.cid, item.call.current_session_id) == (CID, known.session_id)
    assert (item.call.ended_at is not None) == (state in {State.ENDED, State.ON_AIR_AGAIN})
    assert [member.user_id for member in item.members] == ["coach-7"]
    assert "read-call" in item.own_capabilities
    assert (response.data.next, response.data.prev) == (None, None)


@pytest.mark.parametrize("state", State)
def test_an_item_is_what_get_call_says_of_the_call(
    signed: httpx.Client, stand_in: StreamStandIn, state: State
) -> None:
    stand_in.put("livestream", "call", state)
    alone = signed.get("/api/v2/video/call/livestream/call").json()
    reply = signed.post(PATH, json={"filter_conditions": by_cid(CID)})
    assert (reply.status_code, list(reply.json())) == (201, ["calls", "duration"])
    assert [item | {"duration": alone["duration"]} for item in reply.json()["calls"]] == [alone]


async def test_many_are_asked_for_at_once_and_those_that_are_not_known_are_absent(
    sdk: Any, stand_in: StreamStandIn
) -> None:
    states = dict(zip(["a", "b", "c"], [State.ON_AIR, State.ENDED, State.BACKSTAGE], strict=True))
    for call_id, state in states.items():
        stand_in.put("livestream", call_id, state)
    stand_in.put("default", "a", State.NOT_STARTED)
    cids = ["livestream:c", "livestream:none", "livestream:a", "livestream:b", "livestream:a"]
    order = [SortParamRequest(field="cid")]
    response = await sdk.video.query_calls(filter_conditions=by_cid(*cids), sort=order)
    found = {
        item.call.cid: (item.call.backstage, bool(item.call.ended_at)) for item in response.data.calls
    }
    assert [item.call.cid for item in response.data.calls] == list(found)
    assert found == {
        "livestream:a": (False, False),
        "livestream:b": (False, True),
        "livestream:c": (True, False),
    }


async def test_one_is_asked_for_by_equality(sdk: Any, stand_in: StreamStandIn) -> None:
    stand_in.put("livestream", "call")
    stand_in.put("livestream", "other")
    response = await sdk.video.query_calls(filter_conditions={"cid": {"$eq": CID}})
    assert [item.call.cid for item in response.data.calls] == [CID]


@pytest.mark.parametrize("name", ["a/b", "..a", "{id}", "a:b", "ü 🧘"])
async def test_names_are_taken_as_they_are(sdk: Any, stand_in: StreamStandIn, name: str) -> None:
    stand_in.put("livestream", name)
    response = await sdk.video.query_calls(filter_conditions=by_cid(f"livestream:{name}"))
    assert [item.call.id for item in response.data.calls] == [name]


async def test_queries_are_counted_apart_from_get_call_s_requests(
    sdk: Any, stand_in: StreamStandIn
) -> None:
    stand_in.put("livestream", "call")
    await sdk.video.query_calls(filter_conditions=by_cid(CID, "livestream:none"))
    await sdk.video.query_calls(filter_conditions={"cid": {"$eq": "livestream:none"}})
    assert stand_in.queries == [(CID, "livestream:none"), ("livestream:none",)]
    assert not stand_in.requests
    await sdk.video.call("livestream", "call").get()
    assert (len(stand_in.queries), stand_in.requests) == (2, {("livestream", "call"): 1})


def test_they_are_listed_by_http(signed: httpx.Client) -> None:
    signed.post(PATH, json={"filter_conditions": by_cid(CID, "livestream:none")})
    signed.post(PATH, json={"filter_conditions": {"cid": {"$eq": "default:b"}}})
    assert signed.get("/stand-in/queries").json() == [[CID, "livestream:none"], ["default:b"]]
    assert signed.get("/stand-in/requests").json() == {}


async def test_each_has_a_rate_limit_of_its_own(sdk: Any, stand_in: StreamStandIn) -> None:
    stand_in.put("livestream", "call")
    query = (await sdk.video.query_calls(filter_conditions=by_cid(CID))).rate_limit()
    call = (await sdk.video.call("livestream", "call").get()).rate_limit()
    assert (query.limit, query.remaining) == (300, 299)
    assert (call.limit, call.remaining) == (1000, 999)


@pytest.mark.parametrize(("key", "headers"), UNAUTHENTICATED)
def test_only_stream_s_authentication_is_accepted(
    http: httpx.Client, stand_in: StreamStandIn, key: str, headers: dict[str, str]
) -> None:
    stand_in.put("livestream", "call")
    body = {"filter_conditions": by_cid(CID)}
    with http:
        reply = http.post(PATH, params={"api_key": key}, headers=headers, json=body)
    assert (reply.status_code, reply.json()["StatusCode"]) == (401, 401)
    assert reply.headers["X-RateLimit-Limit"] == "300"


async def test_the_sdk_reads_a_refusal(sdk: Any) -> None:
    # The SDK leaves out what is None, and would so ask for all calls.
    with pytest.raises(StreamApiException) as caught:
        await sdk.video.query_calls(filter_conditions={"ended_at": None})
    assert (caught.value.status_code, caught.value.code) == (400, 4)
    assert (
        caught.value.message == 'QueryCalls failed with error: "filter_conditions.cid: Field required"'
    )
