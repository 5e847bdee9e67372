"""The callers: REST and gRPC, whose connections are kept as those of real clients are."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle
from typing import TYPE_CHECKING

import aiohttp
import grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.drill.accounting import DEADLINE_SECONDS, Answer, Outcome, WayIn
from tests.drill.truth import Truth
from tests.drill.world import World
from tests.support.auth.tokens import bearer
from tests.support.network.certificates import Authority

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub

# As those of a client that notices a lost connection soon, and does not wait long to connect anew.
_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 1000),
    ("grpc.http2.ping_timeout_ms", 1000),
)
_CHANNELS = 2
_STATUSES = {
    "unavailable": Outcome.UNAVAILABLE,
    "deadline_exceeded": Outcome.DEADLINE_EXCEEDED,
    "resource_exhausted": Outcome.RESOURCE_EXHAUSTED,
    "unauthenticated": Outcome.UNAUTHENTICATED,
}
_HTTP = {"unavailable": 503, "deadline_exceeded": 504, "resource_exhausted": 429, "unauthenticated": 401}


@dataclass
class Callers:
    """Those of one fault; each request shows the token that callers have at the time."""

    truth: Truth
    token: Callable[[], str]
    _rest: aiohttp.ClientSession
    _stubs: "Mapping[WayIn, cycle[LiveCallsAsyncStub]]"

    async def ask(self, way_in: WayIn, call_id: str) -> Answer:
        """Request a call once, without a retry, and check the answer."""
        if way_in is WayIn.REST:
            return await self._ask_rest(call_id)
        return await self._ask_grpc(next(self._stubs[way_in]), call_id)

    async def _ask_rest(self, call_id: str) -> Answer:
        headers = bearer(self.token())
        try:
            async with self._rest.get(f"/v1/live/calls/{call_id}", headers=headers) as reply:
                body = await reply.read()
        except aiohttp.ClientError as error:
            return Answer(Outcome.CONNECTION_LOST, detail=repr(error))
        if reply.status == HTTPStatus.OK:
            return self.truth.check_json(call_id, body)
        return _refusal(reply.status, body)

    async def _ask_grpc(self, stub: "LiveCallsAsyncStub", call_id: str) -> Answer:
        metadata = tuple(bearer(self.token()).items())
        try:
            reply = await stub.GetCall(
                pb.GetCallRequest(id=call_id), timeout=DEADLINE_SECONDS, metadata=metadata
            )
        except grpc.aio.AioRpcError as error:
            name = error.code().name
            if name in Outcome.__members__:
                return Answer(Outcome[name], detail=error.details() or "")
            return Answer(Outcome.OTHER, f"{name}: {error.details()}")
        return self.truth.check_message(call_id, reply)


@asynccontextmanager
async def calling(world: World) -> AsyncIterator[Callers]:
    """Open the callers' connections while the block lasts."""
    async with AsyncExitStack() as stack:
        rest = await stack.enter_async_context(_rest_client(world))
        stubs: dict[WayIn, cycle[LiveCallsAsyncStub]] = {}
        for way_in, address in world.addresses.items():
            if way_in is WayIn.REST:
                continue
            channels = [_channel(address, world.authority) for _ in range(_CHANNELS)]
            for channel in channels:
                await stack.enter_async_context(channel)
            stubs[way_in] = cycle([LiveCallsStub(channel) for channel in channels])
        yield Callers(world.truth, lambda: world.token, rest, stubs)


def _rest_client(world: World) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        f"http{'s' if world.authority else ''}://{world.addresses[WayIn.REST]}",
        connector=aiohttp.TCPConnector(ssl=world.authority.trusting() if world.authority else True),
        # Each request has a time limit of its own, in `load.py`.
        timeout=aiohttp.ClientTimeout(total=None),
    )
    # It would send again what it has sent on a kept connection that is closed.
    session._retry_connection = False
    return session


def _channel(address: str, authority: Authority | None) -> grpc.aio.Channel:
    if authority:
        return grpc.aio.secure_channel(address, authority.client_credentials(), _OPTIONS)
    return grpc.aio.insecure_channel(address, _OPTIONS)


def _refusal(status: int, body: bytes) -> Answer:
    """Read an error by REST, whose status and word must belong together."""
    try:
        word = json.loads(body)["error"]
    except (ValueError, LookupError):
        word = ""
    if _HTTP.get(word) == status:
        return Answer(_STATUSES[word], detail=body.decode())
    return Answer(Outcome.OTHER, f"{status} {body!r}")
