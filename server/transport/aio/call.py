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
from server.transport.aio.aborts import cut_aborts
from server.transport.call_context import REQUEST_ID_KEY, request_id_of
from server.transport.failures import code_of_cancelled, failure_of
from server.transport.metrics import MethodMetrics
from server.transport.request_span import begin_span, end_span

_Context = grpc.aio.ServicerContext[bytes, bytes]
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class AioCall:
    """The CallContext of a call on grpc.aio."""

    __slots__ = ("_context", "_metadata", "client", "request_id")

    def __init__(self, context: _Context) -> None:
        self._context = context
        # gRPC builds it again on each call.
        self._metadata = context.invocation_metadata() or ()
        self.request_id = request_id_of(self.values(REQUEST_ID_KEY))
        self.client: str | None = None

    def values(self, key: str) -> Sequence[str | bytes]:
        return [value for name, value in self._metadata if name == key]

    def time_left(self) -> float:
        left = self._context.time_remaining()
        return math.inf if left is None else left


def behaviour(
    metrics: MethodMetrics, method: Method, access_log: AccessLog
) -> Callable[[bytes, _Context], Awaitable[bytes]]:
    """Make a grpc.aio behaviour of a method: it responds, or aborts with its exception's status."""

    async def respond(request: bytes, context: _Context) -> bytes:
        metrics.started.value += 1
        call = AioCall(context)
        logs.request_id.set(call.request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        started, code, span = perf_counter(), code_pb2.OK, begin_span(metrics.name, call)
        try:
            return await method(request, call)
        except asyncio.CancelledError:
            code = code_of_cancelled(call.time_left())
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a status
            failure = failure_of(error, call.request_id)
            code = failure.code
            with cut_aborts():
                await context.abort(_STATUS_CODES[code], failure.message, failure.trailers)
            return b""  # is not sent
        finally:
            trace_id = end_span(span, code)
            seconds = perf_counter() - started
            access_log.note(metrics, code, seconds, call.request_id, call.client, trace_id)

    return respond
