"""How two ways to ask Stream for a call differ over time, and what `check --call` makes of it."""

import asyncio
from asyncio import get_running_loop
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRateLimitedError,
)
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from server.commands.check_call import compare
from server.commands.check_stream import MAX_SECONDS
from tests.support.data.calls import MOMENT

CALL = ("livestream", "call")
BACKSTAGE = LiveStatus(is_live=False, current_session_id="s", ended_at=None)
ON_AIR = replace(BACKSTAGE, is_live=True)
ENDED = replace(BACKSTAGE, ended_at=MOMENT)
MISSING = StreamCallNotFoundError()
REFUSED = StreamFailedError("status 403")

SO_DOES_LIVE = "and so does `live` with STREAM_BULK=auto, but not with off"
ALONE = "STREAM_BULK=auto then asks for each call alone, and off does not even try"

Says = LiveStatus | StreamError


@dataclass
class LaggingStream:
    """Says by GetCall what is so from a second on, and by QueryCalls what was so before a lag."""

    says: dict[float, Says]
    lag: float = 0
    after: float = 0.1
    """Seconds until it responds."""
    to_many: dict[float, Says] = field(default_factory=dict)
    """What QueryCalls says instead."""
    requests: list[float] = field(default_factory=list)
    """When GetCall was asked."""
    began: float = field(default_factory=lambda: get_running_loop().time())

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        assert (call_type, call_id) == CALL
        now = self._now()
        self.requests.append(now)
        return await self._respond(_at(now, self.says))

    async def fetch_many(
        self, calls: Sequence[StreamCall]
    ) -> dict[StreamCall, LiveStatus | StreamError]:
        now = self._now()
        said = _at(now, self.to_many) if self.to_many else _at(now - self.lag, self.says)
        if isinstance(said, StreamCallNotFoundError):
            return dict.fromkeys(calls, said)
        return dict.fromkeys(calls, await self._respond(said))

    async def aclose(self) -> None: ...

    def _now(self) -> float:
        return round(get_running_loop().time() - self.began, 6)

    async def _respond(self, said: Says) -> LiveStatus:
        await asyncio.sleep(self.after)
        if isinstance(said, StreamError):
            raise said
        return said


def _at(now: float, says: dict[float, Says]) -> Says:
    return says[max(since for since in says if since <= max(now, 0))]


async def lines_of(stream: LaggingStream, seconds: float = 10) -> list[str]:
    """Compare, and return all lines: the finding's is the last."""
    lines: list[str] = []
    comparison = await compare(stream, CALL, seconds, lines.append)
    return [*lines, str(comparison.find(cache_ttl=1.0))]


async def finding_of(stream: LaggingStream, seconds: float = 10) -> str:
    return (await lines_of(stream, seconds))[-1]


async def test_each_change_has_a_line_with_its_time_by_each_way() -> None:
    stream = LaggingStream({0: BACKSTAGE, 2.1: ON_AIR, 6.4: ENDED}, lag=1.7)
    backstage = 'is_live false, current_session_id "s", ended_at null'
    on_air = 'is_live true, current_session_id "s", ended_at null'
    ended = 'is_live false, current_session_id "s", ended_at "2026-05-04T03:02:01.123456Z"'
    assert await lines_of(stream) == [
        f"   0.0 s  GetCall     {backstage}",
        f"   0.0 s  QueryCalls  {backstage}",
        f"   2.5 s  GetCall     {on_air}",
        f"   4.0 s  QueryCalls  {on_air}",
        f"   6.5 s  GetCall     {ended}",
        f"   8.5 s  QueryCalls  {ended}",
        "          median latency: GetCall 100 ms (21 responses); QueryCalls 100 ms (21 responses)",
        f"FAIL  QueryCalls: shows changes up to 2.5 s later than GetCall, {SO_DOES_LIVE}",
    ]


async def test_who_is_a_little_later_than_that_is_well() -> None:
    finding = await finding_of(LaggingStream({0: BACKSTAGE, 2: ON_AIR}, lag=0.2))
    assert finding.startswith("ok    QueryCalls: shows changes up to 1.0 s later than GetCall, ")


async def test_who_shows_each_change_as_soon_is_well() -> None:
    finding = await finding_of(LaggingStream({0: BACKSTAGE, 2: ON_AIR, 4: ENDED, 6: ON_AIR}))
    fresh = "STREAM_BULK=auto is as fresh as off"
    assert finding == f"ok    QueryCalls: shows 3 changes within 0.5 s of GetCall: {fresh}"


async def test_without_a_change_nothing_is_known() -> None:
    finding = await finding_of(LaggingStream({0: ON_AIR}, lag=3600))
    assert finding.startswith("--    QueryCalls: shows the same as GetCall, but nothing changed: ")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (ENDED, "differs from GetCall in is_live and ended_at"),
        (replace(ON_AIR, current_session_id="t"), "differs from GetCall in current_session_id"),
        (MISSING, "knows no such call"),
    ],
)
async def test_who_differs_gets_as_long_again_and_fails(says: Says, words: str) -> None:
    stream = LaggingStream({0: ON_AIR}, to_many={0: ON_AIR, 3: says})
    finding = await finding_of(stream)
    assert finding == f"FAIL  QueryCalls: {words}, for 17.0 s until the end: set STREAM_BULK=off"
    assert stream.requests[-1] == 20


async def test_who_agrees_in_the_second_half_was_late() -> None:
    stream = LaggingStream({0: BACKSTAGE, 9: ON_AIR}, lag=6)
    assert "up to 6.5 s later" in await finding_of(stream)
    assert stream.requests[-1] == 15


async def test_a_call_that_only_queries_know_differs() -> None:
    stream = LaggingStream({0: MISSING}, to_many={0: ON_AIR})
    words = "QueryCalls: knows a call that GetCall does not, for 20.0 s until the end"
    assert words in await finding_of(stream)


async def test_a_call_that_nobody_knows_fails() -> None:
    lines = await lines_of(LaggingStream({0: MISSING}))
    assert lines[0] == "   0.0 s  GetCall     no such call"
    assert lines[-1] == "FAIL  call: Stream knows no such call"


async def test_a_call_that_comes_to_be_has_changed() -> None:
    finding = await finding_of(LaggingStream({0: MISSING, 2: ON_AIR}))
    assert finding.startswith("ok    QueryCalls: shows 1 change within 0.5 s")


async def test_queries_that_are_refused_end_it_soon() -> None:
    stream = LaggingStream({0: ON_AIR}, to_many={0: REFUSED})
    lines = await lines_of(stream)
    assert lines[1:] == [
        "          median latency: GetCall 100 ms (1 response); QueryCalls none (0 responses, 1 failed)",
        f"FAIL  QueryCalls: credentials refused (status 403); {ALONE}",
    ]


async def test_a_get_call_that_is_refused_says_nothing_of_queries() -> None:
    stream = LaggingStream({0: REFUSED})
    assert await finding_of(stream) == "FAIL  GetCall: credentials refused (status 403)"


async def test_who_fails_now_and_then_is_asked_on() -> None:
    says: dict[float, Says] = {0: BACKSTAGE, 4: ON_AIR}
    failing = {**says, 1.3: REFUSED, 2.3: BACKSTAGE, 6.3: REFUSED, 7: ON_AIR}
    lines = await lines_of(LaggingStream(says, to_many=failing))
    assert lines[-2].endswith("QueryCalls 100 ms (18 responses, 3 failed)")
    assert lines[-1].startswith("ok    QueryCalls: shows 1 change within 0.5 s of GetCall")


async def test_who_fails_three_times_in_a_row_is_not_asked_any_more() -> None:
    stream = LaggingStream({0: ON_AIR, 3: StreamFailedError("status 500")})
    assert await finding_of(stream) == "FAIL  GetCall: cannot be asked (status 500)"
    assert stream.requests[-1] == 4


async def test_a_rate_limit_ends_it_at_once() -> None:
    stream = LaggingStream({0: ON_AIR}, to_many={0: ON_AIR, 2: StreamRateLimitedError(None)})
    finding = await finding_of(stream)
    assert finding == "FAIL  QueryCalls: its rate limit is reached: try again later"
    assert stream.requests[-1] == 2


async def test_it_asks_twice_a_second() -> None:
    stream = LaggingStream({0: ON_AIR})
    await lines_of(stream, seconds=2)
    assert stream.requests == [0, 0.5, 1, 1.5, 2]


async def test_it_asks_less_often_if_responses_take_longer() -> None:
    stream = LaggingStream({0: BACKSTAGE, 1: ON_AIR}, after=2)
    assert "within 2.0 s of GetCall" in await finding_of(stream, seconds=5)
    assert stream.requests == [0, 2, 4, 6]


async def test_what_never_responds_is_given_up() -> None:
    stream = LaggingStream({0: ON_AIR}, after=3600)
    assert await finding_of(stream) == f"FAIL  GetCall: no response in {MAX_SECONDS} s"
