"""Many calls fetched by one request, with the real SDK over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from server.adapters.stream import metrics
from server.adapters.stream.client import StreamClient
from server.adapters.stream.errors import StreamError, StreamRateLimitedError
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from tests.support.callers.metrics import own_metrics
from tests.support.stand_ins.stream import SECRET, closed_port, stream_settings

A, B, C = CALLS = [("livestream", name) for name in "abc"]
WHOLE = {
    Behaviour.RESET: "connection_reset",
    Behaviour.CUT: "connection_reset",
    Behaviour.BAD_REQUEST: "StreamRequestRejectedError",
    Behaviour.UNAUTHORIZED: "status 401",
    Behaviour.NO_ENDPOINT: "no such endpoint (status 404): is STREAM_BASE_URL right?",
    Behaviour.REDIRECT: "redirected with status 302",
    Behaviour.RATE_LIMITED: "rate limited",
    Behaviour.ERROR: "status 500",
    Behaviour.BROKEN_ENVELOPE: "status 500",
    Behaviour.HTML: "not JSON",
    Behaviour.NULL: "unusable response: body",
    Behaviour.EMPTY: "not JSON",
    Behaviour.TRUNCATED: "not JSON",
    Behaviour.HUGE: "response too large",
    Behaviour.HUGE_COMPRESSED: "not JSON",
    Behaviour.HUGE_NUMBER: "not JSON",
    Behaviour.DEEP: "nested too deeply",
}
"""Those that concern a response as a whole, even as the behaviour of one of its calls."""
OF_ITEMS = {
    Behaviour.NOT_FOUND: "StreamCallNotFoundError",
    Behaviour.OTHER_CALL: "unusable response: call.cid",
    Behaviour.MISSING_FIELDS: "unusable response: call.backstage",
    Behaviour.WRONG_TYPES: "unusable response: call.backstage",
}
USABLE = [
    Behaviour.WELL,
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.CROWDED,
    Behaviour.DROPPED,
    Behaviour.DROPPED_BY_RESET,
]


@pytest.fixture(autouse=True)
def _known(stand_in: StreamStandIn) -> None:
    for call in CALLS:
        stand_in.put(*call)


def reason(error: StreamError) -> str:
    return str(error) or type(error).__name__


async def fetch(client: StreamClient) -> dict[StreamCall, str] | str:
    """Fetch all; return what there is of each, or why the request failed."""
    try:
        statuses = await client.fetch_many(CALLS)
    except StreamError as error:
        return reason(error)
    return {
        call: reason(status) if isinstance(status, StreamError) else f"on air: {status.is_live}"
        for call, status in statuses.items()
    }


ON_AIR = dict.fromkeys(CALLS, "on air: True")


async def test_it_reads_what_stream_says(client: StreamClient, stand_in: StreamStandIn) -> None:
    for behaviour in USABLE:
        stand_in.behaviour = behaviour
        expected = {}
        for number, state in enumerate(State):
            call = stand_in.put("livestream", str(number), state)
            since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=call.since_ns // 1000)
            ended_at = {State.ENDED: since, State.ON_AIR_AGAIN: since - timedelta(hours=1)}
            expected[call.type, call.id] = LiveStatus(
                is_live=state in {State.ON_AIR, State.ON_AIR_AGAIN},
                current_session_id=None if state is State.NOT_STARTED else call.session_id,
                ended_at=ended_at.get(state),
            )
        some = list(expected)[:2] if behaviour is Behaviour.CROWDED else list(expected)
        assert await client.fetch_many(some) == {call: expected[call] for call in some}, behaviour


async def test_every_failure_of_the_request_is_one_of_ours(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    ends = {}
    for stand_in.behaviour in WHOLE:
        ends[stand_in.behaviour] = await fetch(client)
    assert ends == WHOLE
    stand_in.behaviour = Behaviour.WELL
    assert await fetch(client) == ON_AIR


async def test_so_is_that_of_a_request_with_one_bad_call(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    ends = {}
    for behaviour in WHOLE:
        stand_in.put(*B, behaviour=behaviour)
        ends[behaviour] = await fetch(client)
    assert ends == WHOLE


async def test_an_item_that_is_wrong_spares_the_others(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    for behaviour, end in OF_ITEMS.items():
        stand_in.put(*B, behaviour=behaviour)
        assert await fetch(client) == {**ON_AIR, B: end}


async def test_if_all_items_are_wrong_the_request_has_failed_unless_they_are_absent(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    ends = {}
    for stand_in.behaviour in OF_ITEMS:
        ends[stand_in.behaviour] = await fetch(client)
    absent = dict.fromkeys(CALLS, OF_ITEMS[Behaviour.NOT_FOUND])
    assert ends == {**OF_ITEMS, Behaviour.NOT_FOUND: absent}


def test_these_are_all_behaviours_that_end() -> None:
    endless = {Behaviour.SLOW, Behaviour.HANG, Behaviour.DRIP}
    assert {*WHOLE, *OF_ITEMS, *USABLE} == {*Behaviour} - endless


async def test_a_hundred_are_fetched_at_once(client: StreamClient, stand_in: StreamStandIn) -> None:
    calls = [("livestream", f"call-{number}") for number in range(100)]
    for call in calls:
        stand_in.put(*call)
    statuses = await client.fetch_many(calls)
    assert [statuses[call] for call in calls] == [await client.fetch(*call) for call in calls]
    assert [len(query) for query in stand_in.queries] == [100]


@pytest.mark.parametrize("drop", [Behaviour.DROPPED, Behaviour.DROPPED_BY_RESET])
async def test_one_whose_kept_connection_is_dropped_is_sent_once_more(
    client: StreamClient, stand_in: StreamStandIn, drop: Behaviour
) -> None:
    await client.fetch(*A)
    assert len(stand_in.kept) == 1
    stand_in.behaviour = drop
    assert await fetch(client) == ON_AIR
    assert stand_in.queries == [tuple(map(":".join, CALLS))] * 2


@pytest.mark.parametrize(("behaviour", "times"), [(Behaviour.RESET, 2), (Behaviour.CUT, 1)])
async def test_but_not_twice_and_not_once_a_response_has_begun(
    client: StreamClient, stand_in: StreamStandIn, behaviour: Behaviour, times: int
) -> None:
    await client.fetch(*A)
    stand_in.behaviour = behaviour
    assert await fetch(client) == "connection_reset"
    assert len(stand_in.queries) == times


async def test_a_429_tells_its_reset(client: StreamClient, stand_in: StreamStandIn) -> None:
    stand_in.behaviour, stand_in.rate_limit_seconds = Behaviour.RATE_LIMITED, 30
    with pytest.raises(StreamRateLimitedError) as caught:
        await client.fetch_many(CALLS)
    assert caught.value.seconds in {29, 30}


def rate_limits() -> dict[str, float]:
    shown = own_metrics()
    return {
        f"{endpoint} {kind}": shown[f'livecalls_stream_rate_limit_{kind}{{endpoint="{endpoint}"}}']
        for endpoint in ("GetCall", "QueryCalls")
        for kind in ("max", "remaining")
    }


async def test_each_endpoint_has_a_rate_limit_of_its_own(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    for gauge in (metrics.RATE_LIMIT_MAX, metrics.RATE_LIMIT_REMAINING):
        for endpoint in metrics.Endpoint:
            gauge.labels(endpoint.value).set(-1)
    await client.fetch_many(CALLS)
    of_query = {"QueryCalls max": 300, "QueryCalls remaining": 299}
    assert rate_limits() == {"GetCall max": -1, "GetCall remaining": -1, **of_query}
    await client.fetch(*A)
    assert rate_limits() == {"GetCall max": 1000, "GetCall remaining": 999, **of_query}
    stand_in.behaviour = Behaviour.RATE_LIMITED
    await fetch(client)
    assert rate_limits()["QueryCalls remaining"] == 0
    assert rate_limits()["GetCall remaining"] == 999


async def ends_with(**changes: str) -> str:
    """Fetch from elsewhere, or as somebody else; return how the request fails."""
    client = StreamClient(stream_settings(**{"url": "http://127.0.0.1:1", **changes}))
    end = await fetch(client)
    await client.aclose()
    assert isinstance(end, str)
    return end


async def test_elsewhere_and_as_somebody_else_it_fails(stream_url: str) -> None:
    assert await ends_with(url=f"http://127.0.0.1:{closed_port()}") == "connection_reset"
    assert "is STREAM_BASE_URL right?" in await ends_with(url=f"{stream_url}/elsewhere")
    assert await ends_with(url=stream_url, api_secret=SECRET.upper()) == "status 401"
