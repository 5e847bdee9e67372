import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
from grpc.aio import AbortError
from grpc_health.v1.health_pb2 import HealthCheckRequest
from livecalls.v1.live_calls_pb2 import GetCallRequest

from server.application.errors import LiveCallsError
from tests.support.callers.raw_grpc import FIELDS, framed, raw_grpc
from tests.support.server.service import GET_CALL, Service

CHECK = "/grpc.health.v1.Health/Check"
REFLECT = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


async def test_one_ends_with_trailers_alone(service: Service) -> None:
    with raw_grpc(f"127.0.0.1:{service.port}") as caller:
        caller.send(GET_CALL.encode())
        assert await asyncio.to_thread(caller.is_trailers_only)


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [
        (GET_CALL, GetCallRequest(id="none").SerializeToString(), grpc.StatusCode.NOT_FOUND),
        (CHECK, HealthCheckRequest(service="other").SerializeToString(), grpc.StatusCode.NOT_FOUND),
        (CHECK, b"\xff", grpc.StatusCode.INTERNAL),
        (REFLECT, b"\xff", grpc.StatusCode.INTERNAL),
    ],
    ids=["no call", "no service", "no health request", "no reflection request"],
)
async def test_they_leave_no_exception_to_the_garbage_collector(
    service: Service, path: str, message: bytes, code: grpc.StatusCode
) -> None:
    fields = {**FIELDS, b":path": path.encode()}.items()
    with raw_grpc(f"127.0.0.1:{service.port}") as caller, collecting() as garbage:
        for _ in range(20):
            assert await asyncio.to_thread(caller.ask_fields, fields, framed(message)) == code
    assert [each for each in garbage if isinstance(each, AbortError | LiveCallsError)] == []


@contextmanager
def collecting() -> Iterator[list[object]]:
    """Yield what only the garbage collector frees of what the block leaves."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    garbage: list[object] = []
    try:
        yield garbage
        gc.collect()
        garbage += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
