"""What the load generator puts on a server, and what it reports."""

import asyncio
from pathlib import Path

import pytest

from tests.support.callers.loads import IDS, after, put, put_until_answered, written
from tests.support.stand_ins.targets import Protocol, Target, serving

pytestmark = pytest.mark.usefixtures("_built")


async def test_it_reports_what_arrived(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, in_flight=4)
    assert 0 <= target.arrived - measured.requests <= 4
    assert measured.requests > 4
    assert measured.failed == 0
    assert measured.first_failure is None
    assert measured.seconds == 0.25
    assert measured.rate == pytest.approx(measured.requests / 0.25, abs=0.001)


async def test_every_id_is_asked_for_and_no_other(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    await put(protocol, keys, target)
    assert set(target.ids) == set(IDS)


async def test_each_time_other_ids_are_drawn(protocol: Protocol, target: Target, tmp_path: Path) -> None:
    asked: list[str] = []

    async def answer(call_id: str) -> bytes:
        asked.append(call_id)
        return b"a call"

    target.answer = answer
    keys = written(tmp_path, *map(str, range(10_000)))
    await put_until_answered(protocol, keys, target, in_flight=1)
    first_load = len(asked)
    await put_until_answered(protocol, keys, target, in_flight=1)
    assert asked[0] != asked[first_load]


@pytest.mark.parametrize("length", [1, 127, 128, 1000])
async def test_ids_of_any_length(
    protocol: Protocol, target: Target, tmp_path: Path, length: int
) -> None:
    await put_until_answered(protocol, written(tmp_path, "x" * length), target)
    assert set(target.ids) == {"x" * length}


async def test_warm_up_is_not_counted(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, in_flight=1, warm_up=0.25)
    assert target.arrived > measured.requests + 1


@pytest.mark.parametrize(("token", "shown"), [("a.b.c", "Bearer a.b.c"), (None, None)])
async def test_the_token_is_shown(
    protocol: Protocol, target: Target, keys: Path, token: str | None, shown: str | None
) -> None:
    await put_until_answered(protocol, keys, target, token=token)
    assert target.tokens == {shown}


async def test_fresh_tokens_are_shown_once_each(protocol: Protocol, target: Target, keys: Path) -> None:
    await put(protocol, keys, target, in_flight=1, fresh_tokens="a-")
    assert target.tokens == {f"Bearer a-{number + 1}" for number in range(target.arrived)}
    assert target.arrived > 1


async def test_a_failure_is_counted_and_described(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    async def answer(call_id: str) -> bytes | None:
        return b"a call" if call_id in IDS[:10] else None

    target.answer = answer
    measured = await put(protocol, keys, target)
    assert 0 < measured.failed < measured.requests
    described = {"grpc": "grpc-status 5: No call has this id.", "http1": "status 404"}
    assert measured.first_failure == described[protocol]


async def test_an_empty_reply_is_a_failure(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(_: str) -> bytes | None:
        return b""

    target.answer = answer
    measured = await put(protocol, keys, target)
    assert measured.failed == measured.requests > 0
    assert measured.first_failure == {"grpc": "an empty message", "http1": "an empty body"}[protocol]
    assert measured.max_us == measured.p50_us == measured.mean_us == 0


async def test_as_many_are_under_way_as_told(protocol: Protocol, target: Target, keys: Path) -> None:
    target.answer = after(0.02)
    connections = {"grpc": 3, "http1": 8}[protocol]
    await put(protocol, keys, target, in_flight=8, connections=connections)
    assert target.most_under_way == 8
    assert len(target.peers) == connections


async def test_connections_take_turns_with_the_addresses(protocol: Protocol, keys: Path) -> None:
    async with serving(protocol) as one, serving(protocol) as another:
        measured = await put(protocol, keys, one, another, in_flight=4, connections=4)
    assert len(one.peers) == len(another.peers) == 2
    assert measured.failed == 0


async def test_replies_that_are_long(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(_: str) -> bytes | None:
        return b"x" * 300_000

    target.answer = answer
    measured = await put(protocol, keys, target, in_flight=4)
    assert measured.requests > measured.failed == 0


async def test_latencies_are_those_of_the_server(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(call_id: str) -> bytes | None:
        await asyncio.sleep(0.2 if call_id in IDS[:2] else 0.01)
        return b"a call"

    target.answer = answer
    measured = await put(protocol, keys, target, seconds=0.7, in_flight=16)
    assert 10_000 <= measured.p50_us < 150_000
    assert 190_000 <= measured.p99_us <= measured.p999_us <= measured.max_us < 1_000_000
    assert measured.p50_us < measured.mean_us < measured.p99_us


async def test_a_rate_is_kept(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, seconds=0.5, rate=400)
    assert 150 <= measured.requests <= 200
    assert target.arrived <= 200


async def test_a_latency_begins_when_the_request_is_due(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    target.answer = after(0.05)
    measured = await put(protocol, keys, target, seconds=0.6, rate=100, in_flight=1)
    assert target.most_under_way == 1
    assert measured.p50_us > 100_000
