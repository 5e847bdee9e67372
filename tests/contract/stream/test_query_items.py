"""Of many calls queried at once, one may be told of badly, and the others be told of well."""

from typing import Any

import httpx
import pytest
from getstream.models import SortParamRequest

from demo.stream_stand_in.items import concerns_items
from demo.stream_stand_in.stand_in import Behaviour, KnownCall, State, StreamStandIn

NAMES = ["a", "b", "c"]
BODY: dict[str, Any] = {
    "filter_conditions": {"cid": {"$in": [f"livestream:{name}" for name in NAMES]}},
    "sort": [{"field": "id"}],
}
SPOILT = [
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.OTHER_CALL,
    Behaviour.CROWDED,
    Behaviour.MISSING_FIELDS,
    Behaviour.WRONG_TYPES,
]


def put(stand_in: StreamStandIn, name: str, behaviour: Behaviour | None = None) -> None:
    # At one time, so that nothing but the behaviour makes a difference.
    stand_in.know(KnownCall("livestream", name, State.ON_AIR, behaviour, since_ns=10**18))


@pytest.fixture(autouse=True)
def good(stand_in: StreamStandIn) -> None:
    for name in NAMES:
        put(stand_in, name)


def query(signed: httpx.Client) -> list[dict[str, Any]]:
    reply = signed.post("/api/v2/video/calls", json=BODY)
    assert reply.status_code == 201
    items: list[dict[str, Any]] = reply.json()["calls"]
    return items


def get(signed: httpx.Client, name: str) -> dict[str, Any]:
    """Return what GetCall says of a call, but for what is not about the call."""
    body: dict[str, Any] = signed.get(f"/api/v2/video/call/livestream/{name}").json()
    del body["duration"]
    return body


@pytest.mark.parametrize("behaviour", SPOILT)
def test_the_item_of_a_call_misbehaves_as_get_call_does_and_those_beside_it_are_good(
    signed: httpx.Client, stand_in: StreamStandIn, behaviour: Behaviour
) -> None:
    good = query(signed)
    put(stand_in, "b", behaviour)
    first, spoilt, last = query(signed)
    assert [first, last] == [good[0], good[2]]
    assert spoilt == get(signed, "b")
    assert spoilt != good[1]


@pytest.mark.parametrize("behaviour", SPOILT)
def test_set_for_all_every_item_misbehaves_but_those_with_a_behaviour_of_their_own(
    signed: httpx.Client, stand_in: StreamStandIn, behaviour: Behaviour
) -> None:
    good = query(signed)
    put(stand_in, "b", Behaviour.WELL)
    stand_in.behaviour = behaviour
    first, spared, last = query(signed)
    assert [first, last] == [get(signed, "a"), get(signed, "c")]
    assert first != good[0]
    assert spared == good[1]


def test_each_item_misbehaves_in_its_own_way(signed: httpx.Client, stand_in: StreamStandIn) -> None:
    ways = dict(zip(NAMES, [Behaviour.WRONG_TYPES, Behaviour.ISO_DATES, Behaviour.CROWDED], strict=True))
    for name, behaviour in ways.items():
        put(stand_in, name, behaviour)
    assert query(signed) == [get(signed, name) for name in NAMES]
    first, second, third = query(signed)
    assert first["call"]["backstage"] == "false"
    assert isinstance(second["call"]["created_at"], str)
    assert len(third["call"]["session"]["participants"]) == 250


def test_a_call_that_is_not_found_is_absent(signed: httpx.Client, stand_in: StreamStandIn) -> None:
    put(stand_in, "b", Behaviour.NOT_FOUND)
    assert [item["call"]["id"] for item in query(signed)] == ["a", "c"]
    stand_in.behaviour = Behaviour.NOT_FOUND
    assert query(signed) == []


async def test_the_sdk_reads_the_good_items_beside_one_of_another_call(
    sdk: Any, stand_in: StreamStandIn
) -> None:
    put(stand_in, "b", Behaviour.OTHER_CALL)
    asked = BODY | {"sort": [SortParamRequest(field="id")]}
    response = await sdk.video.query_calls(**asked)
    assert [item.call.id for item in response.data.calls] == ["a", "another", "c"]


def test_these_are_all_behaviours_of_items() -> None:
    of_items = {behaviour for behaviour in Behaviour if concerns_items(behaviour)}
    assert of_items == {Behaviour.WELL, Behaviour.NOT_FOUND, *SPOILT}
