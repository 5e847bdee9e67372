"""A flood of different junk tokens, while good callers go on."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc

from tests.support.auth.guarded import ask
from tests.support.auth.introspected import introspected_service
from tests.support.machine.clock import Clock
from tests.support.server.service import Service, Standalone
from tests.support.stand_ins.introspection_server import IntrospectionServer

JUNK = 10_000
AT_ONCE = 100
BOUND = 4
GOOD = [f"lph_at_good-{number}" for number in range(8)]
REFUSALS = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE}


async def test_no_good_caller_is_refused_and_the_issuer_is_asked_within_its_bound(
    introspection_server: IntrospectionServer,
) -> None:
    clock = Clock()
    introspection_server.takes = 0.02
    bounds: dict[str, Any] = {
        "max_concurrent_requests": BOUND,
        "max_new_per_second": 2,
        "timeout_ms": 20_000,
    }
    async with introspected_service(
        Standalone(), introspection_server.url, clock=clock, **bounds
    ) as service:
        for token in GOOD:
            await ask(service, introspection_server.knows(token))
        junk = iter(range(JUNK))
        flood = [asyncio.create_task(send(service, junk)) for _ in range(AT_ONCE)]
        rounds = 0
        while not all(task.done() for task in flood):
            clock.now += 25  # it is time to renew them all
            assert all(await asyncio.gather(*(ask(service, token) for token in GOOD)))
            rounds += 1
        outcomes = sum((task.result() for task in flood), Counter[grpc.StatusCode]())
        new = introspection_server.knows("lph_at_new")
        assert await ask(service, new)
    assert rounds > 2
    assert (outcomes.total(), outcomes.keys() - REFUSALS) == (JUNK, set())
    assert 1 < introspection_server.most_under_way <= BOUND
    assert all(introspection_server.asked[token] > 1 for token in GOOD)


async def send(service: Service, junk: Iterator[int]) -> Counter[grpc.StatusCode]:
    """Send one junk token after the other, and count the outcomes."""
    outcomes = Counter[grpc.StatusCode]()
    for number in junk:
        try:
            await ask(service, f"lph_at_junk-{number}")
        except grpc.aio.AioRpcError as error:
            outcomes[error.code()] += 1
    return outcomes
