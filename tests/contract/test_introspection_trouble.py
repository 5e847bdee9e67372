"""The responses to callers with opaque tokens while their issuer is in trouble, on both carriers."""

from collections.abc import Callable

import pytest

from server.auth.issuer_answer import MAX_BYTES
from tests.support.auth.guarded import ask
from tests.support.auth.introspected import introspected_service, unavailable
from tests.support.machine.clock import Clock
from tests.support.server.service import Deployment, Service
from tests.support.stand_ins.introspection_server import IntrospectionServer
from tests.support.stand_ins.stream import closed_port

GOOD = "lph_at_good"


Misbehave = Callable[[IntrospectionServer], None]
FAILURES: dict[str, Misbehave] = {
    "201": lambda server: server.answers(201, b'{"active": true}'),
    "no active": lambda server: server.answers(200, b'{"token": "good"}'),
    "huge": lambda server: server.answers(200, b'{"active": true}' + b" " * MAX_BYTES),
    "hangs up": IntrospectionServer.hangs_up,
}
"""One for each part that may refuse an answer; their own tests have the others."""


@pytest.mark.parametrize("misbehave", FAILURES.values(), ids=FAILURES)
async def test_without_an_answer_of_use_nobody_new_gets_in_and_known_ones_go_on(
    introspected: Service,
    introspection_server: IntrospectionServer,
    misbehave: Misbehave,
) -> None:
    await ask(introspected, introspection_server.knows(GOOD))
    misbehave(introspection_server)
    await unavailable(introspected, introspection_server.knows("new"))
    assert await ask(introspected, GOOD)


async def test_an_issuer_that_hangs_is_given_up(
    deployment: Deployment, introspection_server: IntrospectionServer
) -> None:
    introspection_server.hangs()
    async with introspected_service(deployment, introspection_server.url, timeout_ms=200) as service:
        await unavailable(service, introspection_server.knows(GOOD))


async def test_nor_do_they_if_the_issuer_is_away(deployment: Deployment) -> None:
    async with introspected_service(deployment, f"http://127.0.0.1:{closed_port()}/") as service:
        await unavailable(service, GOOD)


async def test_retry_after_is_obeyed(
    introspected: Service, introspection_server: IntrospectionServer, clock: Clock
) -> None:
    introspection_server.answers(429, b"", **{"retry-after": "20"})
    await unavailable(introspected, introspection_server.knows(GOOD))
    introspection_server.is_well()
    for clock.now in (1, 19.9, 39.9):
        await unavailable(introspected, GOOD)
    assert introspection_server.requests == 1
    clock.now = 40
    assert await ask(introspected, GOOD)
