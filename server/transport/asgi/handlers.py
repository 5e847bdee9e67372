"""The kinds of methods that are served: unary, server streaming and bidirectional."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from time import perf_counter

from google.rpc import code_pb2

from server.runtime import logs
from server.transport.access_log import AccessLog
from server.transport.admission import Method
from server.transport.asgi.call import AsgiCall
from server.transport.asgi.deadline import DeadlineWatch
from server.transport.asgi.framing import Messages
from server.transport.asgi.reply import Reply
from server.transport.call_context import REQUEST_ID_KEY
from server.transport.failures import Failure, code_of_cancelled, failure_of
from server.transport.metrics import MethodMetrics
from server.transport.request_span import begin_span, end_span

Handler = Callable[[AsgiCall, Messages, Reply], Awaitable[None]]
"""Reads a call's messages and sends the whole reply; raises RejectedError and CallerGoneError."""

_CANCELLED_MESSAGES = {code_pb2.CANCELLED: "CANCELLED", code_pb2.DEADLINE_EXCEEDED: "Deadline Exceeded"}


def unary_handler(metrics: MethodMetrics, method: Method, access_log: AccessLog) -> Handler:
    """Serve a method of the service: what it raises is sent as a status, and each call is logged."""

    async def handle(call: AsgiCall, messages: Messages, reply: Reply) -> None:
        request = await messages.the_one()
        metrics.started.value += 1
        logs.request_id.set(call.request_id)
        failure: Failure | None = None
        span = begin_span(metrics.name, call)
        watch = DeadlineWatch(call, messages.receive)
        try:
            message = await method(request, call)
        except asyncio.CancelledError:
            failure = _cancellation_failure(call)
        except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a status
            failure = failure_of(error, call.request_id)
        finally:
            watch.end()
        code = failure.code if failure else code_pb2.OK
        trace_id = end_span(span, code)
        seconds = perf_counter() - call.began
        access_log.note(metrics, code, seconds, call.request_id, call.client, trace_id)
        if failure:
            await reply.fail(failure)
        else:
            await reply.message_alone(message, call.reply_encoding, call.request_id)

    return handle


def server_streaming_handler(method: Callable[[bytes], AsyncGenerator[bytes, None]]) -> Handler:
    """Serve a method that returns many messages for one, until the caller disconnects."""

    async def handle(call: AsgiCall, messages: Messages, reply: Reply) -> None:
        request = await messages.the_one()
        watch = DeadlineWatch(call, messages.receive)
        try:
            await _send_all(method(request), call, reply)
        except asyncio.CancelledError:
            await reply.fail(_cancellation_failure(call))
        finally:
            watch.end()

    return handle


def bidirectional_handler(
    method: Callable[[AsyncIterator[bytes]], AsyncGenerator[bytes, None]],
) -> Handler:
    """Serve a method that returns many messages for many; it waits for nothing but them."""

    async def handle(call: AsgiCall, messages: Messages, reply: Reply) -> None:
        await _send_all(method(messages.all()), call, reply)

    return handle


async def _send_all(answers: AsyncGenerator[bytes, None], call: AsgiCall, reply: Reply) -> None:
    async with aclosing(answers):
        async for message in answers:
            await reply.message(message, call.reply_encoding)
    await reply.end()


def _cancellation_failure(call: AsgiCall) -> Failure:
    code = code_of_cancelled(call.time_left())
    return Failure(code, _CANCELLED_MESSAGES[code], ((REQUEST_ID_KEY, call.request_id),))
