"""The bench's Stream stand-in: it says what the demo's says, sooner."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from demo.serving import serve_in_thread
from demo.stream_stand_in.application import web_application
from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from tests.load.bench.quick_stream import quick_application
from tests.support.stand_ins.stream import KEY, SECRET, SIGNED

GET_CALL = "/api/v2/video/call/livestream/"
QUERY_CALLS = "/api/v2/video/calls"
NAMES = [state.value for state in State]


@pytest.fixture
def stand_in() -> StreamStandIn:
    stand_in = StreamStandIn(KEY, SECRET)
    for state in State:
        stand_in.put("livestream", state.value, state)
    return stand_in


@pytest.fixture
def quick(stand_in: StreamStandIn) -> Iterator[httpx.Client]:
    with serve_in_thread(quick_application(stand_in)) as url, _client(url) as client:
        yield client


@pytest.fixture
def plain(stand_in: StreamStandIn) -> Iterator[httpx.Client]:
    with serve_in_thread(web_application(stand_in)) as url, _client(url) as client:
        yield client


def _client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, params={"api_key": KEY}, headers=SIGNED)


def _query(*names: str, **more: object) -> dict[str, object]:
    cids = [f"livestream:{name}" for name in names]
    return {"filter_conditions": {"cid": {"$in": cids}}, "limit": 100, **more}


def _calls(response: httpx.Response) -> list[dict[str, Any]]:
    return sorted(response.json()["calls"], key=lambda item: str(item["call"]["cid"]))


@pytest.mark.parametrize("name", [*NAMES, "unknown"])
@pytest.mark.parametrize("query", [{}, {"members_limit": 0}])
def test_get_call_says_the_same(
    quick: httpx.Client, plain: httpx.Client, stand_in: StreamStandIn, name: str, query: dict[str, int]
) -> None:
    said, expected = (client.get(GET_CALL + name, params=query) for client in (quick, plain))
    assert (said.status_code, said.json()) == (expected.status_code, expected.json())
    assert set(said.headers) == set(expected.headers)
    assert stand_in.requests == {("livestream", name): 2}


def test_query_calls_says_the_same(
    quick: httpx.Client, plain: httpx.Client, stand_in: StreamStandIn
) -> None:
    asked = _query(*NAMES, "unknown", NAMES[0])
    said, expected = (client.post(QUERY_CALLS, json=asked) for client in (quick, plain))
    assert said.status_code == expected.status_code == 201
    assert _calls(said) == _calls(expected)
    assert set(said.json()) == set(expected.json())
    assert set(said.headers) == set(expected.headers)
    assert len(stand_in.queries) == 2


@pytest.mark.parametrize("asked", [_query(*NAMES, limit=2), _query(*NAMES, limit=101), {}])
def test_pages_and_mistakes_are_as_they_were(
    quick: httpx.Client, plain: httpx.Client, asked: dict[str, object]
) -> None:
    said, expected = (client.post(QUERY_CALLS, json=asked) for client in (quick, plain))
    assert (said.status_code, said.json()) == (expected.status_code, expected.json())


def test_what_has_changed_is_said_next(quick: httpx.Client, stand_in: StreamStandIn) -> None:
    for state, backstage in ((State.BACKSTAGE, True), (State.ON_AIR, False)):
        stand_in.put("livestream", "call", state)
        assert quick.get(f"{GET_CALL}call").json()["call"]["backstage"] is backstage
        (item,) = quick.post(QUERY_CALLS, json=_query("call")).json()["calls"]
        assert item["call"]["backstage"] is backstage


def test_it_behaves_ill_if_it_is_told_to(quick: httpx.Client, stand_in: StreamStandIn) -> None:
    stand_in.behaviour = Behaviour.ERROR
    assert quick.get(GET_CALL + State.ON_AIR).status_code == 500
    assert quick.post(QUERY_CALLS, json=_query(State.ON_AIR)).status_code == 500


@pytest.mark.parametrize(
    "asked", [("GET", GET_CALL + State.ON_AIR, None), ("POST", QUERY_CALLS, _query(State.ON_AIR))]
)
def test_it_is_late_if_it_is_told_to(
    quick: httpx.Client, stand_in: StreamStandIn, asked: tuple[str, str, Any]
) -> None:
    method, path, body = asked
    stand_in.latency_seconds = 60
    with pytest.raises(httpx.ReadTimeout):
        quick.request(method, path, json=body, timeout=httpx.Timeout(20, read=0.1))
