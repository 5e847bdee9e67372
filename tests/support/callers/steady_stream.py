"""Callers who request the one stored call again and again, by REST and by gRPC through Envoy."""

import http.client
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

import grpc
import httpx
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from tests.support.auth.tokens import bearer
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID

WELL = {200, grpc.StatusCode.OK}
"""The outcomes if no caller notices anything."""

PATIENT = dict.fromkeys(
    ("DATABASE_CONNECT_TIMEOUT_MS", "DATABASE_READ_TIMEOUT_MS", "DATABASE_STATEMENT_TIMEOUT_MS"), "6000"
)
"""Settings for their server: how soon a busy machine starts a PostgreSQL backend is not tested here."""

PAUSE_SECONDS = 0.02
"""Between two requests of one caller: they leave the machine time for what is tested."""

CALLERS = 6
"""For each API two who keep their connections, and one who connects for each request."""


class Asked(Protocol):
    """Their target: a gateway, or a proxy before it."""

    @property
    def address(self) -> str: ...


_PATH = f"/v1/live/calls/{CALL_ID}"


@contextmanager
def steady_stream(
    gateway: Asked, token: str | None = None, pause: float = PAUSE_SECONDS
) -> Iterator[Counter[object]]:
    """Let the callers send requests while the block lasts, with a token if one is given.

    Each pauses for so many seconds between two. Yields the outcomes, counted.
    """
    shown = bearer(token) if token else {}
    url = f"http://{gateway.address}"
    outcomes: Counter[object] = Counter()
    over = threading.Event()

    def ask_on(ask: Callable[[], object]) -> None:
        while not over.wait(pause):
            outcomes[ask()] += 1

    with ExitStack() as stack:
        stub = LiveCallsStub(stack.enter_context(grpc.insecure_channel(gateway.address)))
        client = stack.enter_context(httpx.Client(timeout=10))
        # gRPC reconnects after a second if connecting failed once, and until then callers fail at once
        # who do not wait.
        waits = threading.Event()

        def by_grpc() -> object:
            outcome = _by_grpc(stub, shown, wait_for_ready=waits.is_set())
            (waits.clear if outcome in WELL else waits.set)()
            return outcome

        keeping = (lambda: _by_rest(client, url, shown), by_grpc)
        connecting = (
            lambda: _by_rest_anew(url, shown),
            lambda: _by_grpc_anew(gateway.address, shown),
        )
        faces = keeping * 2 + connecting
        threads = [threading.Thread(target=ask_on, args=(ask,)) for ask in faces]
        for thread in threads:
            thread.start()
        try:
            yield outcomes
        finally:
            over.set()
            for thread in threads:
                thread.join()


def goes_on(outcomes: Counter[object]) -> None:
    """Wait until some more came back."""
    so_far = outcomes.total()
    assert wait_until(lambda: outcomes.total() > so_far + 50, 20)


def _by_rest(client: httpx.Client, url: str, headers: dict[str, str]) -> object:
    try:
        reply = client.get(f"{url}{_PATH}", headers=headers)
    except httpx.TransportError as error:
        return repr(error)
    return reply.status_code if reply.is_success else reply.text


def _by_rest_anew(url: str, headers: dict[str, str]) -> object:
    try:
        reply = ask(url, "GET", _PATH, headers)
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    return reply.status if reply.status == http.HTTPStatus.OK else reply.body


def _by_grpc_anew(address: str, metadata: dict[str, str]) -> object:
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        return _by_grpc(LiveCallsStub(channel), metadata)


def _by_grpc(stub: LiveCallsStub, metadata: dict[str, str], *, wait_for_ready: bool = False) -> object:
    request = pb.GetCallRequest(id=str(CALL_ID))
    try:
        call = stub.GetCall(
            request, timeout=10, metadata=tuple(metadata.items()), wait_for_ready=wait_for_ready
        )
    except grpc.RpcError as error:
        return f"{error.code()}: {error.details()}"
    return grpc.StatusCode.OK if call.id == str(CALL_ID) else call
