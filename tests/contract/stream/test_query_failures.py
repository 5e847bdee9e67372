"""A response of the stand-in's QueryCalls may be wrong as a whole, in every way that GetCall's may."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from getstream.exceptions import StreamApiException, StreamRateLimitException

from demo.stream_stand_in.items import concerns_items
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn

PATH = "/api/v2/video/calls"
BODY: dict[str, Any] = {
    "filter_conditions": {"cid": {"$in": ["livestream:a", "livestream:b", "livestream:none"]}}
}
ERRORS = {
    Behaviour.BAD_REQUEST: (400, 4),
    Behaviour.UNAUTHORIZED: (401, 5),
    Behaviour.NO_ENDPOINT: (404, 16),
    Behaviour.RATE_LIMITED: (429, 9),
    Behaviour.ERROR: (500, -1),
}
BROKEN = {
    Behaviour.RESET: httpx.ReadError,
    Behaviour.CUT: httpx.ReadError,
    Behaviour.HANG: httpx.ReadTimeout,
}
DROPS = {
    Behaviour.DROPPED: httpx.RemoteProtocolError,
    Behaviour.DROPPED_BY_RESET: httpx.ReadError,
}
MEBIBYTE = 1024 * 1024
COUNT = 2


def is_json(reply: httpx.Response) -> bool:
    try:
        reply.json()
    except (ValueError, RecursionError):
        return False
    return True


def has_all(reply: httpx.Response) -> bool:
    return len(reply.json()["calls"]) == COUNT


ODD: dict[Behaviour, tuple[int, Callable[[httpx.Response], bool]]] = {
    Behaviour.REDIRECT: (302, lambda it: it.headers["Location"] == "https://stream.example.com/"),
    Behaviour.BROKEN_ENVELOPE: (500, lambda it: it.json() == {"code": -1}),
    Behaviour.HTML: (201, lambda it: it.headers["Content-Type"].startswith("text/html")),
    Behaviour.NULL: (201, lambda it: it.text == "null"),
    Behaviour.EMPTY: (201, lambda it: not it.content),
    Behaviour.TRUNCATED: (201, lambda it: it.text.startswith('{"calls": [{') and not is_json(it)),
    Behaviour.HUGE: (201, lambda it: len(it.content) > 10 * MEBIBYTE and has_all(it)),
    Behaviour.HUGE_COMPRESSED: (
        201,
        lambda it: int(it.headers["Content-Length"]) < MEBIBYTE < len(it.content) and has_all(it),
    ),
    Behaviour.HUGE_NUMBER: (201, lambda it: it.text.startswith('{"calls": 111') and not is_json(it)),
    Behaviour.DEEP: (201, lambda it: it.text.startswith("[[[") and not is_json(it)),
}


@pytest.fixture(params=["for all", "of one of the calls"])
def behave(request: pytest.FixtureRequest, stand_in: StreamStandIn) -> "Behave":
    """Set a behaviour."""
    for name in ("a", "b"):
        stand_in.put("livestream", name)

    def behave(behaviour: Behaviour) -> None:
        if request.param == "for all":
            stand_in.behaviour = behaviour
        else:
            stand_in.put("livestream", "b", behaviour=behaviour)

    return behave


Behave = Callable[[Behaviour], None]


@pytest.mark.parametrize(("behaviour", "error"), ERRORS.items())
async def test_the_sdk_reads_its_errors(
    sdk: Any, behave: Behave, behaviour: Behaviour, error: tuple[int, int]
) -> None:
    behave(behaviour)
    with pytest.raises(StreamApiException) as caught:
        await sdk.video.query_calls(**BODY)
    limit = caught.value.rate_limit_info
    assert (caught.value.status_code, caught.value.code) == error
    assert (limit.limit, limit.remaining) == (300, 0 if behaviour is Behaviour.RATE_LIMITED else 299)
    assert isinstance(caught.value, StreamRateLimitException) == (behaviour is Behaviour.RATE_LIMITED)


@pytest.mark.parametrize(("behaviour", "error"), BROKEN.items())
def test_it_breaks_off_or_never_comes(
    signed: httpx.Client, behave: Behave, behaviour: Behaviour, error: type[Exception]
) -> None:
    behave(behaviour)
    with pytest.raises(error):
        signed.post(PATH, json=BODY, timeout=0.2 if behaviour is Behaviour.HANG else 10)


@pytest.mark.parametrize(("behaviour", "error"), DROPS.items())
def test_a_kept_connection_is_dropped(
    signed: httpx.Client, behave: Behave, behaviour: Behaviour, error: type[Exception]
) -> None:
    behave(behaviour)
    assert has_all(signed.post(PATH, json=BODY))
    with pytest.raises(error):
        signed.post(PATH, json=BODY)
    assert has_all(signed.post(PATH, json=BODY))


@pytest.mark.parametrize(("behaviour", "expected"), ODD.items())
def test_what_comes_is_odd(
    signed: httpx.Client,
    behave: Behave,
    behaviour: Behaviour,
    expected: tuple[int, Callable[[httpx.Response], bool]],
) -> None:
    behave(behaviour)
    status, is_as_it_should = expected
    reply = signed.post(PATH, json=BODY, timeout=60)
    assert reply.status_code == status
    assert is_as_it_should(reply)


def test_it_drips_byte_by_byte(signed: httpx.Client, behave: Behave) -> None:
    behave(Behaviour.DRIP)
    with signed.stream("POST", PATH, json=BODY) as reply:
        pieces = reply.iter_raw()
        assert (reply.status_code, next(pieces) + next(pieces) + next(pieces)) == (201, b'{"c')


def test_it_is_slow(signed: httpx.Client, stand_in: StreamStandIn, behave: Behave) -> None:
    behave(Behaviour.SLOW)
    stand_in.slow_seconds = 60
    with pytest.raises(httpx.ReadTimeout):
        signed.post(PATH, json=BODY, timeout=0.2)
    stand_in.slow_seconds = 0
    assert has_all(signed.post(PATH, json=BODY))


def test_calls_with_behaviours_of_their_own_are_spared_what_is_set_for_all(
    signed: httpx.Client, stand_in: StreamStandIn
) -> None:
    for name in ("a", "b"):
        stand_in.put("livestream", name, behaviour=Behaviour.WELL)
    stand_in.behaviour = Behaviour.ERROR
    own = {"filter_conditions": {"cid": {"$in": ["livestream:a", "livestream:b"]}}}
    assert has_all(signed.post(PATH, json=own))
    assert signed.post(PATH, json=BODY).status_code == 500


def test_a_malformed_request_is_refused_unless_what_is_set_for_all_comes_first(
    signed: httpx.Client, stand_in: StreamStandIn
) -> None:
    statuses = {}
    for stand_in.behaviour in (Behaviour.ERROR, Behaviour.HTML, Behaviour.HUGE, Behaviour.WRONG_TYPES):
        statuses[stand_in.behaviour] = signed.post(PATH, json={}).status_code
    assert list(statuses.values()) == [500, 400, 400, 400]


def test_these_are_all_behaviours_of_responses() -> None:
    shown = {*ERRORS, *BROKEN, *DROPS, *ODD, Behaviour.DRIP, Behaviour.SLOW}
    assert shown == {behaviour for behaviour in Behaviour if not concerns_items(behaviour)}
