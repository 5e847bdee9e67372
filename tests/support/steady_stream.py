"""Callers who ask for the one stored call again and again, by REST and by gRPC through Envoy."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import grpc
import httpx
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.calls import CALL_ID
from tests.support.gateway import Gateway

_CALLERS = 2


@contextmanager
def steady_stream(gateway: Gateway) -> Iterator[Counter[object]]:
    """Let two callers ask on each face while the block lasts; yields what came back, counted."""
    outcomes: Counter[object] = Counter()
    over = threading.Event()

    def ask_on(ask: Callable[[], object]) -> None:
        while not over.wait(0.005):
            outcomes[ask()] += 1

    with ExitStack() as stack:
        stub = LiveCallsStub(stack.enter_context(grpc.insecure_channel(gateway.address)))
        client = stack.enter_context(httpx.Client(timeout=10))
        faces = (lambda: _by_rest(client, gateway.url), lambda: _by_grpc(stub))
        threads = [threading.Thread(target=ask_on, args=(ask,)) for ask in faces * _CALLERS]
        for thread in threads:
            thread.start()
        try:
            yield outcomes
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _by_rest(client: httpx.Client, url: str) -> object:
    try:
        reply = client.get(f"{url}/v1/live/calls/{CALL_ID}")
    except httpx.TransportError as error:
        return repr(error)
    return reply.status_code if reply.is_success else reply.text


def _by_grpc(stub: LiveCallsStub) -> object:
    try:
        call = stub.GetCall(pb.GetCallRequest(id=str(CALL_ID)), timeout=10)
    except grpc.RpcError as error:
        return f"{error.code()}: {error.details()}"
    return grpc.StatusCode.OK if call.id == str(CALL_ID) else call
