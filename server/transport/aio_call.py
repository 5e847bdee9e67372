"""Carries one call between grpc.aio and a method of the service."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import NoReturn

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from server import logs
from server.transport.access_log import AccessLog
from server.transport.admission import Method
from server.transport.call_context import REQUEST_ID_KEY, request_id_of
from server.transport.errors import challenge, to_status

_Context = grpc.aio.ServicerContext[bytes, bytes]
_DETAILS_KEY = "grpc-status-details-bin"
_CHALLENGE_KEY = "www-authenticate"
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}

log = logging.getLogger("server.requests")


class AioCall:
    """The CallContext of a call on grpc.aio."""

    __slots__ = ("_context", "_metadata", "request_id")

    def __init__(self, context: _Context) -> None:
        self._context = context
        # gRPC makes them anew each time one asks for them.
        self._metadata = context.invocation_metadata() or ()
        self.request_id = request_id_of(self.values(REQUEST_ID_KEY))

    def values(self, key: str) -> Sequence[str | bytes]:
        return [value for name, value in self._metadata if name == key]

    def time_left(self) -> float:
        left = self._context.time_remaining()
        return math.inf if left is None else left


def answering(
    name: str, method: Method, access_log: AccessLog
) -> Callable[[bytes, _Context], Awaitable[bytes]]:
    """Make a grpc.aio behaviour of a method: it answers, or aborts with the status of its exception."""

    async def answer(request: bytes, context: _Context) -> bytes:
        call = AioCall(context)
        logs.request_id.set(call.request_id)
        context.set_trailing_metadata(((REQUEST_ID_KEY, call.request_id),))
        started, code = perf_counter(), code_pb2.OK
        try:
            return await method(request, call)
        except asyncio.CancelledError:
            code = code_pb2.CANCELLED if call.time_left() > 0 else code_pb2.DEADLINE_EXCEEDED
            raise
        except Exception as error:
            status = to_status(error, call.request_id)
            code = status.code
            if code == code_pb2.INTERNAL:
                log.exception("a fault of the server")
            await _abort(context, call, status, challenge(error))
        finally:
            access_log.note(name, code, perf_counter() - started, call.request_id)

    return answer


async def _abort(context: _Context, call: AioCall, status: Status, challenged: str | None) -> NoReturn:
    trailers = [(REQUEST_ID_KEY, call.request_id), (_DETAILS_KEY, status.SerializeToString())]
    if challenged:
        trailers.append((_CHALLENGE_KEY, challenged))
    await context.abort(_STATUS_CODES[status.code], status.message, tuple(trailers))
