import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from grpc.aio import AbortError

from server.application.errors import LiveCallsError
from tests.support.callers.raw_grpc import raw_grpc
from tests.support.server.service import GET_CALL, Service


async def test_one_ends_with_trailers_alone(service: Service) -> None:
    with raw_grpc(f"127.0.0.1:{service.port}") as caller:
        caller.send(GET_CALL.encode())
        assert await asyncio.to_thread(caller.is_trailers_only)


async def test_they_leave_no_exception_to_the_garbage_collector(service: Service) -> None:
    with raw_grpc(f"127.0.0.1:{service.port}") as caller, collecting() as garbage:
        for _ in range(20):
            assert await asyncio.to_thread(caller.ask) == grpc.StatusCode.NOT_FOUND
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
