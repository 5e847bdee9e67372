"""Carries one call between grpc.aio and a method of the service."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

import grpc
from google.rpc import code_pb2

from server.runtime import logs
from server.transport.access_log import AccessLog
from server.transport.admission import Method
from server.transport.call_context import REQUEST_ID_KEY, request_id_of
from server.transport.failures import Failure, code_of_cancelled, failure_of

_Context = grpc.aio.ServicerContext[bytes, bytes]
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class AioCall:
    """The CallContext of a call on grpc.aio."""

    __slots__ = ("_context", "_metadata", "request_id")

    def __init__(self, context: _Context) -> None:
        self._context = context
        # gRPC builds it again on each call.
        self._metadata = context.invocation_metadata() or ()
        self.request_id = request_id_of(self.values(REQUEST_ID_KEY))

    def values(self, key: str) -> Sequence[str | bytes]:
        return [value for name, value in self._metadata if name == key]

    def time_left(self) -> float:
        left = self._context.time_remaining()
        return math.inf if left is None else left


def behaviour(
    name: str, method: Method, access_log: AccessLog
) -> Callable[[bytes, _Context], Awaitable[bytes]]:
    """Make a grpc.aio behaviour of a method: it responds, or aborts with its exception's status."""

    async def respond(request: bytes, context: _Context) -> bytes:
        call = AioCall(context)
        logs.request_id.set(call.request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        started, code = perf_counter(), code_pb2.OK
        try:
            return await method(request, call)
        except asyncio.CancelledError:
            code = code_of_cancelled(call.time_left())
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a status
            failure = failure_of(error, call.request_id)
            code = failure.code
            await _abort(context, failure)
            return b""  # gRPC raises its AbortError again now
        finally:
            access_log.note(name, code, perf_counter() - started, call.request_id)

    return respond


async def _abort(context: _Context, failure: Failure) -> None:
    """End a call with a status.

    gRPC keeps the exception of abort() with the call. From its traceback the call can be reached again,
    and what is below it: collecting that, the garbage collector would stop all calls for 15 ms once some
    hundreds have failed.
    """
    try:
        await context.abort(_STATUS_CODES[failure.code], failure.message, failure.trailers)
    except grpc.aio.AbortError as aborted:
        aborted.__traceback__ = aborted.__context__ = None
