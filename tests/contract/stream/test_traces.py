"""The spans of requests that share a request to Stream, as a collector receives them."""

import asyncio
from collections.abc import Iterator

import pytest

from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.wire import StreamCall
from server.runtime import tracing
from tests.support.stand_ins.collector import Collector, ReceivedSpan

AMPLE = 10.0
A, B, C, D = [("livestream", name) for name in "abcd"]
NO_PARENT = {"traceparent": "", "tracestate": ""}
WAIT = "wait for Stream"
GET = "GET /api/v2/video/call/{type}/{id}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().running() as collector:
        yield collector


@pytest.fixture(autouse=True)
def _known(stand_in: StreamStandIn) -> None:
    for call in (A, B, C, D):
        stand_in.put(*call)


async def ask(best_effort: BestEffort, call: StreamCall, *, sampled: bool) -> str:
    """Ask for a request of its own, and return the id of its trace, empty if it is not sampled."""
    root = tracing.begin("request", NO_PARENT, {}) if sampled else None
    await best_effort.live_status(*call, AMPLE)
    if root is None:
        return ""
    root.end()
    return root.trace_id


async def ask_all(best_effort: BestEffort, *asked: tuple[StreamCall, bool]) -> list[str]:
    """Ask in one turn of the event loop, each in a task of its own; return the ids of the traces."""
    tasks = [asyncio.create_task(ask(best_effort, call, sampled=sampled)) for call, sampled in asked]
    return await asyncio.gather(*tasks)


def trace(collector: Collector, trace_id: str) -> dict[str, ReceivedSpan]:
    return {span.name: span for span in collector.spans if span.trace_id == trace_id}


def batch(collector: Collector, trace_id: str) -> dict[str, object]:
    return trace(collector, trace_id)[WAIT].events["the request begins"]


async def test_one_that_shares_a_request_has_its_own_tree_and_names_the_request(
    patient: BestEffort, stand_in: StreamStandIn, collector: Collector
) -> None:
    with collector.tracing():
        _, trace_id, _ = await ask_all(patient, (A, False), (B, True), (C, False))
    assert stand_in.queries == [tuple(map(":".join, (A, B, C)))]
    assert [span.name for span in collector.spans] == [WAIT, "request"]
    spans = trace(collector, trace_id)
    assert spans[WAIT].parent == spans["request"].id
    assert spans[WAIT].attributes == {"livecalls.stream.shared": False}
    assert batch(collector, trace_id)["livecalls.batch.keys"] == 3
    assert stand_in.last_traceparent is None


async def test_all_that_wait_as_it_begins_name_the_same_request_and_others_another(
    patient: BestEffort, collector: Collector
) -> None:
    with collector.tracing():
        together = await ask_all(patient, (A, True), (B, True), (A, True))
        later = await ask_all(patient, (C, True), (D, True))
    ids = [str(batch(collector, it)["livecalls.batch.id"]) for it in (*together, *later)]
    assert len(set(ids[:3])) == len(set(ids[3:])) == 1
    assert ids[0] != ids[3]
    assert len(ids[0]) == len(ids[3]) == 16


async def test_one_whose_shared_request_fails_has_the_request_for_its_own_call(
    patient: BestEffort, stand_in: StreamStandIn, collector: Collector
) -> None:
    stand_in.put(*C, behaviour=Behaviour.UNAUTHORIZED)
    with collector.tracing():
        good, bad = await ask_all(patient, (A, True), (C, True))
    for trace_id in (good, bad):
        spans = trace(collector, trace_id)
        assert spans.keys() == {"request", WAIT, GET}
        assert spans[GET].parent == spans[WAIT].id
        assert spans[GET].failed == (trace_id == bad)
    assert batch(collector, good) == batch(collector, bad)


async def test_one_that_goes_alone_names_no_shared_request(
    patient: BestEffort, collector: Collector
) -> None:
    with collector.tracing():
        (trace_id,) = await ask_all(patient, (A, True))
    assert not trace(collector, trace_id)[WAIT].events
