"""The stand-in can be late, and its QueryCalls behind the times."""

import time
from typing import Any

import httpx
import pytest

from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from tests.support.machine.clock import Clock

QUERIES = "/api/v2/video/calls"
CALL = "/api/v2/video/call/livestream/call"
BODY = {"filter_conditions": {"cid": {"$in": ["livestream:call"]}}}
LATENCY = 0.2
REQUESTS: list[tuple[dict[str, Any], int]] = [
    ({"method": "GET", "url": CALL}, 200),
    ({"method": "GET", "url": f"{CALL}-that-is-missing"}, 404),
    ({"method": "POST", "url": QUERIES, "json": BODY}, 201),
    ({"method": "POST", "url": QUERIES, "json": {}}, 400),
    ({"method": "POST", "url": QUERIES, "json": BODY, "headers": {"Authorization": ""}}, 401),
]


@pytest.fixture
def clock(stand_in: StreamStandIn) -> Clock:
    """The stand-in's."""
    stand_in.clock = clock = Clock()
    return clock


async def state_queried(sdk: Any) -> list[tuple[bool, bool]]:
    """Return of each call that is found whether it is in backstage, and whether it has ended."""
    response = await sdk.video.query_calls(**BODY)
    return [(item.call.backstage, item.call.ended_at is not None) for item in response.data.calls]


BACKSTAGE, ON_AIR, ENDED = (True, False), (False, False), (False, True)


@pytest.mark.parametrize(("sent", "status"), REQUESTS)
def test_every_response_is_held_back_for_the_latency(
    signed: httpx.Client, stand_in: StreamStandIn, sent: dict[str, Any], status: int
) -> None:
    stand_in.put("livestream", "call")
    stand_in.latency_seconds = LATENCY
    begun = time.monotonic()
    assert signed.request(**sent).status_code == status
    assert time.monotonic() - begun >= LATENCY


async def test_queries_show_what_was_before_the_lag(
    sdk: Any, stand_in: StreamStandIn, clock: Clock
) -> None:
    stand_in.lag_seconds = 2
    shown = []
    for clock.now, state in enumerate([State.BACKSTAGE, State.ON_AIR, State.ENDED]):
        stand_in.put("livestream", "call", state)
        shown.append(await state_queried(sdk))
    for clock.now in (3, 4, 60):
        shown.append(await state_queried(sdk))
    assert shown == [[], [], [BACKSTAGE], [ON_AIR], [ENDED], [ENDED]]


async def test_get_call_is_current_however_long_the_lag(
    sdk: Any, stand_in: StreamStandIn, clock: Clock
) -> None:
    stand_in.put("livestream", "call", State.BACKSTAGE)
    clock.now, stand_in.lag_seconds = 10, 1
    stand_in.put("livestream", "call", State.ON_AIR)
    assert await state_queried(sdk) == [BACKSTAGE]
    call = (await sdk.video.call("livestream", "call").get()).data.call
    assert (call.backstage, call.ended_at) == (False, None)


async def test_without_a_lag_queries_are_current(sdk: Any, stand_in: StreamStandIn) -> None:
    stand_in.put("livestream", "call", State.BACKSTAGE)
    stand_in.put("livestream", "call", State.ON_AIR)
    assert await state_queried(sdk) == [ON_AIR]


def test_a_call_behaves_as_it_was_told_last_however_long_the_lag(
    signed: httpx.Client, stand_in: StreamStandIn, clock: Clock
) -> None:
    stand_in.put("livestream", "call", State.ON_AIR)
    clock.now, stand_in.lag_seconds = 10, 5
    stand_in.put("livestream", "call", State.ENDED, Behaviour.WRONG_TYPES)
    (item,) = signed.post(QUERIES, json=BODY).json()["calls"]
    assert (item["call"]["backstage"], item["call"]["ended_at"]) == ("false", None)


def test_delays_are_set_by_http(http: httpx.Client, stand_in: StreamStandIn) -> None:
    with http:
        told = http.put("/stand-in/delays", json={"latency_seconds": 0.01, "lag_seconds": 2})
        assert told.json() == {"latency_seconds": 0.01, "lag_seconds": 2}
        told = http.put("/stand-in/delays", json={"latency_seconds": 0})
        assert told.json() == {"latency_seconds": 0, "lag_seconds": 2}
    assert (stand_in.latency_seconds, stand_in.lag_seconds) == (0, 2)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"latency_seconds": -1}', "latency_seconds"),
        ('{"lag_seconds": -0.1}', "lag_seconds"),
        ('{"lag_seconds": Infinity}', "lag_seconds"),
        ('{"lag_seconds": null}', "lag_seconds"),
        ('{"latency": 1}', "latency"),
        ("", ""),
    ],
)
def test_no_other_delay_is_understood(
    http: httpx.Client, stand_in: StreamStandIn, body: str, field: str
) -> None:
    with http:
        told = http.put("/stand-in/delays", content=body)
    assert (told.status_code, list(told.json()["error"])) == (400, [field])
    assert (stand_in.latency_seconds, stand_in.lag_seconds) == (0, 0)
