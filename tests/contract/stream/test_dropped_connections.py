"""A server may close a connection that was kept as the next request arrives on it."""

import asyncio

import pytest

from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.client import StreamClient
from server.adapters.stream.errors import StreamFailedError
from tests.support.stand_ins.stream import stream_settings

DROPS = [Behaviour.DROPPED, Behaviour.DROPPED_BY_RESET]
AMPLE = 10.0
MANY = 8


def calls(stand_in: StreamStandIn, round_: str) -> list[tuple[str, str]]:
    named = [("livestream", f"{round_}-{number}") for number in range(MANY)]
    for call in named:
        stand_in.put(*call)
    return named


async def keep_connections(client: StreamClient, stand_in: StreamStandIn) -> None:
    """Open as many kept connections as there are concurrent requests."""
    await asyncio.gather(*(client.fetch(*call) for call in calls(stand_in, "first")))
    assert len(stand_in.kept) == MANY


@pytest.mark.parametrize("drop", DROPS)
async def test_a_dropped_request_is_asked_once_more(
    client: StreamClient, stand_in: StreamStandIn, drop: Behaviour
) -> None:
    await keep_connections(client, stand_in)
    stand_in.behaviour = drop
    stand_in.put("livestream", "call")
    assert (await client.fetch("livestream", "call")).is_live
    assert stand_in.requests["livestream", "call"] == 2


@pytest.mark.parametrize("drop", DROPS)
async def test_all_kept_connections_dropped_at_once_cost_no_answer(
    stream_url: str, stand_in: StreamStandIn, drop: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    settings = stream_settings(stream_url, timeout_ms=5000, bulk="off")
    patient = BestEffort(StreamClient(settings), settings)
    first = calls(stand_in, "first")
    await asyncio.gather(*(patient.live_status(*call, AMPLE) for call in first))
    assert len(stand_in.kept) == MANY
    stand_in.behaviour = drop
    second = calls(stand_in, "second")
    answers = await asyncio.gather(*(patient.live_status(*call, AMPLE) for call in second))
    assert all(answer and answer.is_live for answer in answers)
    assert [stand_in.requests[call] for call in second] == [2] * MANY
    assert "stream breaker opened" not in caplog.messages
    await patient.aclose()


async def requests_until_failure(
    client: StreamClient, stand_in: StreamStandIn, behaviour: Behaviour
) -> int:
    """Request a call in vain, and return how often Stream was asked."""
    stand_in.put("livestream", "call", behaviour=behaviour)
    with pytest.raises(StreamFailedError, match="connection_reset"):
        await client.fetch("livestream", "call")
    return stand_in.requests["livestream", "call"]


@pytest.mark.parametrize("behaviour", [Behaviour.RESET, Behaviour.CUT])
async def test_a_new_connection_that_is_dropped_is_a_failure(
    client: StreamClient, stand_in: StreamStandIn, behaviour: Behaviour
) -> None:
    assert await requests_until_failure(client, stand_in, behaviour) == 1


async def test_a_second_drop_is_a_failure(client: StreamClient, stand_in: StreamStandIn) -> None:
    await keep_connections(client, stand_in)
    assert await requests_until_failure(client, stand_in, Behaviour.RESET) == 2


async def test_an_answer_that_has_begun_is_not_asked_for_again(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    await keep_connections(client, stand_in)
    assert await requests_until_failure(client, stand_in, Behaviour.CUT) == 1


async def test_connections_are_kept_again_after_a_drop(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    await keep_connections(client, stand_in)
    stand_in.behaviour = Behaviour.DROPPED
    stand_in.put("livestream", "call")
    for _ in range(MANY):
        assert (await client.fetch("livestream", "call")).is_live
    stand_in.behaviour = Behaviour.WELL
    await client.fetch("livestream", "call")
    kept = set(stand_in.kept)
    await client.fetch("livestream", "call")
    assert set(stand_in.kept) == kept


async def test_at_the_end_kept_connections_are_closed(
    client: StreamClient, stand_in: StreamStandIn
) -> None:
    await keep_connections(client, stand_in)
    kept = list(stand_in.kept)
    await client.aclose()
    async with asyncio.timeout(10):
        while not all(connection.is_closing() for connection in kept):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
