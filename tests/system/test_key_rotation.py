"""Keys come and go under constant load on both APIs, and no request gets a wrong response."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.auth.guarded import REQUEST, guarded_service
from tests.support.auth.tokens import Signer, bearer, signer
from tests.support.data.calls import CALL_ID
from tests.support.envoy.gateway import gateway_running
from tests.support.machine.clock import Clock
from tests.support.server.service import Standalone
from tests.support.stand_ins.key_server import KeyServer

FIRST, SECOND, THIRD = (signer("RS256", name) for name in ("first", "second", "third"))
CALLERS_PER_FACE = 4
ENOUGH = 20
"""Responses to each caller, after which a change has shown."""

Ask = Callable[[str], Coroutine[Any, Any, str]]


@dataclass
class Load:
    """Callers with sequential requests, with tokens of the keys that are published."""

    faces: dict[str, Ask]
    keys: tuple[Signer, ...]
    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _answers: dict[tuple[str, int], int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Let the callers send requests while the block lasts."""
        callers = [(face, number) for face in self.faces for number in range(CALLERS_PER_FACE)]
        self._answers = dict.fromkeys(callers, 0)
        tasks = [asyncio.create_task(self._ask_on(*caller)) for caller in callers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def has_gone_on(self, answers: int = ENOUGH) -> None:
        """Wait until every caller has had so many more responses."""
        wanted = {caller: count + answers for caller, count in self._answers.items()}
        async with asyncio.timeout(60):
            while any(self._answers[caller] < count for caller, count in wanted.items()):  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.005)

    async def _ask_on(self, face: str, caller: int) -> None:
        while True:
            number = next(self._numbers)
            key = self.keys[number % len(self.keys)]
            # Every other token was never seen before.
            token = key.token(jti=str(number if number % 2 else caller), iat=1, exp=9_999_999_999)
            outcome = await self.faces[face](token)
            self.outcomes[face, key.kid, outcome] += 1
            self._answers[face, caller] += 1


@pytest.fixture
def clock() -> Clock:
    """The clock that decides whether an unknown key may be requested again."""
    return Clock()


@pytest.fixture
async def faces(key_server: KeyServer, clock: Clock, tmp_path: Path) -> AsyncIterator[dict[str, Ask]]:
    key_server.publishes(FIRST)
    async with guarded_service(Standalone(), key_server.url, clock=clock) as service:
        with gateway_running(service.port, tmp_path) as gateway:
            async with (
                httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client,
                grpc.aio.insecure_channel(gateway.address) as through,
            ):
                yield {
                    "gRPC": by_grpc(service.channel),
                    "gRPC through Envoy": by_grpc(through),
                    "REST": by_rest(client),
                }


def by_grpc(channel: grpc.aio.Channel) -> Ask:
    async def ask(token: str) -> str:
        try:
            await LiveCallsStub(channel).GetCall(REQUEST, metadata=tuple(bearer(token).items()))
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "OK"

    return ask


def by_rest(client: httpx.AsyncClient) -> Ask:
    async def ask(token: str) -> str:
        reply = await client.get(f"/v1/live/calls/{CALL_ID}", headers=bearer(token), timeout=20)
        return {200: "OK", 401: "UNAUTHENTICATED"}.get(reply.status_code, str(reply.status_code))

    return ask


async def test_keys_are_rotated_under_load(
    faces: dict[str, Ask], key_server: KeyServer, clock: Clock
) -> None:
    load = Load(faces, (FIRST,))
    remembered = FIRST.token()
    async with load.going_on():
        assert {await ask(remembered) for ask in faces.values()} == {"OK"}
        await load.has_gone_on()

        key_server.publishes(FIRST, SECOND)
        load.keys = (FIRST, SECOND)
        await load.has_gone_on()

        load.keys = (SECOND,)
        await load.has_gone_on(1)
        clock.now += 30
        key_server.publishes(SECOND, THIRD)
        load.keys = (SECOND, THIRD)
        await load.has_gone_on()
        for token in (remembered, FIRST.token()):
            assert {await ask(token) for ask in faces.values()} == {"UNAUTHENTICATED"}

    assert {outcome for _, _, outcome in load.outcomes} == {"OK"}, load.outcomes
    assert {(face, kid) for face, kid, _ in load.outcomes} == {
        (face, key.kid) for face in faces for key in (FIRST, SECOND, THIRD)
    }
    assert key_server.requests == 3
