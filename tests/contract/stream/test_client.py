from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import Behaviour, State, StreamStandIn
from server.adapters.stream.client import StreamClient
from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamEndpointNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
    UnusableResponseError,
)
from server.application.call import LiveStatus
from tests.support.stand_ins.stream import KEY, SECRET, closed_port, stream_settings

FAILURES = {
    Behaviour.RESET: StreamFailedError("connection_reset"),
    Behaviour.CUT: StreamFailedError("connection_reset"),
    Behaviour.BAD_REQUEST: StreamRequestRejectedError(),
    Behaviour.UNAUTHORIZED: StreamFailedError("status 401"),
    Behaviour.NOT_FOUND: StreamCallNotFoundError(),
    Behaviour.NO_ENDPOINT: StreamEndpointNotFoundError(),
    Behaviour.REDIRECT: StreamFailedError("redirected with status 302"),
    Behaviour.RATE_LIMITED: StreamRateLimitedError(None),
    Behaviour.ERROR: StreamFailedError("status 500"),
    Behaviour.BROKEN_ENVELOPE: StreamFailedError("status 500"),
    Behaviour.HTML: StreamFailedError("not JSON"),
    Behaviour.NULL: UnusableResponseError("body"),
    Behaviour.EMPTY: StreamFailedError("not JSON"),
    Behaviour.TRUNCATED: StreamFailedError("not JSON"),
    Behaviour.OTHER_CALL: UnusableResponseError("call.cid is another call's"),
    Behaviour.MISSING_FIELDS: UnusableResponseError("call.backstage"),
    Behaviour.WRONG_TYPES: UnusableResponseError("call.backstage"),
    Behaviour.HUGE: StreamFailedError("response too large"),
    Behaviour.HUGE_COMPRESSED: StreamFailedError("not JSON"),
    Behaviour.HUGE_NUMBER: StreamFailedError("not JSON"),
    Behaviour.DEEP: StreamFailedError("nested too deeply"),
}


USABLE = [
    Behaviour.WELL,
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.CROWDED,
    Behaviour.DROPPED,
]


async def get_call(url: str, **query: int) -> httpx.Response:
    headers = {"Authorization": jwt.encode({}, SECRET), "stream-auth-type": "jwt"}
    async with httpx.AsyncClient(headers=headers, params={"api_key": KEY}) as http:
        return await http.get(f"{url}/api/v2/video/call/livestream/call", params=query)


@asynccontextmanager
async def asking(url: str, **changes: object) -> AsyncIterator[Callable[[], Awaitable[LiveStatus]]]:
    client = StreamClient(stream_settings(url, **changes))
    try:
        yield lambda: client.fetch("livestream", "call")
    finally:
        await client.aclose()


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("behaviour", USABLE)
async def test_reads_what_stream_says(
    client: StreamClient, stand_in: StreamStandIn, behaviour: Behaviour, state: State
) -> None:
    call = stand_in.put("livestream", "call", state, behaviour)
    since = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=call.since_ns // 1000)
    ended_at = {State.ENDED: since, State.ON_AIR_AGAIN: since - timedelta(hours=1)}
    assert await client.fetch("livestream", "call") == LiveStatus(
        is_live=state in {State.ON_AIR, State.ON_AIR_AGAIN},
        current_session_id=None if state is State.NOT_STARTED else call.session_id,
        ended_at=ended_at.get(state),
    )


async def test_the_largest_answer_is_beyond_a_mebibyte(stand_in: StreamStandIn, stream_url: str) -> None:
    stand_in.put("livestream", "call", behaviour=Behaviour.CROWDED)
    answer = await get_call(stream_url, members_limit=1)
    session = answer.json()["call"]["session"]
    assert len(session["participants"]) == 250
    assert len(session["participants"][249]["user"]["custom"]["about"]) == 5000
    assert len(answer.content) > 1024 * 1024


async def test_asks_for_no_members(stand_in: StreamStandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "httpx")
    stand_in.put("livestream", "call")
    with serve_in_thread(stand_in) as url:
        async with asking(url) as ask:
            await ask()
        assert len((await get_call(url)).json()["members"]) == 1
        assert (await get_call(url, members_limit=0)).json()["members"] == []
    assert "/video/call/livestream/call?api_key=key-of-the-tests&members_limit=0 " in caplog.messages[0]


@pytest.mark.parametrize(("behaviour", "expected"), FAILURES.items())
async def test_every_failure_is_one_of_ours(
    client: StreamClient, stand_in: StreamStandIn, behaviour: Behaviour, expected: StreamError
) -> None:
    stand_in.put("livestream", "call", behaviour=behaviour)
    with pytest.raises(type(expected)) as caught:
        await client.fetch("livestream", "call")
    assert str(caught.value) == str(expected)


async def test_a_failure_does_not_stay(client: StreamClient, stand_in: StreamStandIn) -> None:
    for behaviour in FAILURES:
        stand_in.put("livestream", "call", behaviour=behaviour)
        with pytest.raises(StreamError):
            await client.fetch("livestream", "call")
    stand_in.put("livestream", "call")
    assert (await client.fetch("livestream", "call")).is_live


async def test_a_call_nobody_knows_is_missing(client: StreamClient) -> None:
    with pytest.raises(StreamCallNotFoundError):
        await client.fetch("livestream", "call")


@pytest.mark.parametrize("path", ["/elsewhere", "/video", "/api/v2"])
async def test_an_address_that_is_not_stream_s_is_a_failure(stream_url: str, path: str) -> None:
    async with asking(f"{stream_url}{path}") as ask:
        with pytest.raises(StreamEndpointNotFoundError, match="is STREAM_BASE_URL right"):
            await ask()


async def test_a_base_url_may_end_with_a_slash(stream_url: str) -> None:
    async with asking(f"{stream_url}/") as ask:
        with pytest.raises(StreamCallNotFoundError):
            await ask()


async def test_a_429_tells_its_reset(client: StreamClient, stand_in: StreamStandIn) -> None:
    stand_in.behaviour, stand_in.rate_limit_seconds = Behaviour.RATE_LIMITED, 30
    with pytest.raises(StreamRateLimitedError) as caught:
        await client.fetch("livestream", "call")
    assert caught.value.seconds in {29, 30}


@pytest.mark.parametrize("name", ["a/b", "..a", "%2e%2e", "{id}", "a?ring=true#x", "ü 🧘", "x" * 64])
async def test_names_reach_stream_as_they_are(
    client: StreamClient, stand_in: StreamStandIn, name: str
) -> None:
    stand_in.put(name, name)
    assert (await client.fetch(name, name)).is_live
    assert list(stand_in.requests) == [(name, name)]


async def test_a_closed_port_is_a_failure() -> None:
    async with asking(f"http://127.0.0.1:{closed_port()}") as ask:
        with pytest.raises(StreamFailedError, match="connection_reset"):
            await ask()


@pytest.mark.parametrize("wrong", [{"api_key": "wrong"}, {"api_secret": SECRET.upper()}])
async def test_a_wrong_key_or_secret_is_a_failure(
    stand_in: StreamStandIn, stream_url: str, wrong: dict[str, str]
) -> None:
    stand_in.put("livestream", "call")
    async with asking(stream_url, **wrong) as ask:
        with pytest.raises(StreamFailedError, match="status 401"):
            await ask()


async def test_the_environment_has_no_say(
    stand_in: StreamStandIn, stream_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.put("livestream", "call")
    for name in ("STREAM_REQUEST_TIMEOUT", "STREAM_TIMEOUT", "STREAM_MAX_CONNS_PER_HOST"):
        monkeypatch.setenv(name, "nonsense")
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    async with asking(stream_url) as ask:
        assert (await ask()).is_live
