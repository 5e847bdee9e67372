"""gRPC over HTTP/2, from a request's headers to the end of its reply."""

import asyncio
import logging

from server.transport.asgi.call import AsgiCall
from server.transport.asgi.framing import Messages
from server.transport.asgi.handlers import Handler
from server.transport.asgi.rejections import (
    NotGrpcError,
    RejectedError,
    cancellation,
    fault,
    unknown_method,
)
from server.transport.asgi.reply import Reply
from server.transport.asgi.types import CallerGoneError, Headers, Receive, Send

log = logging.getLogger("server.requests")


async def dispatch(
    method: Handler | None, verb: str, headers: Headers, receive: Receive, send: Send
) -> None:
    """Serve one request, whatever it is, and never raise: the host would send an OK instead.

    Without a method it is rejected.
    """
    reply = Reply(send)
    try:
        await _dispatch(method, verb, headers, receive, reply)
    except CallerGoneError:
        pass
    except asyncio.CancelledError:
        await _end_badly(reply, cancellation())
    except BaseException as error:
        _raise_if_destroyed(error)
        log.exception("internal error")
        await _end_badly(reply, fault())


async def reject(send: Send, why: RejectedError) -> None:
    """Reject a request without reading it, and never raise."""
    await _end_badly(Reply(send), why)


async def _dispatch(
    method: Handler | None, verb: str, headers: Headers, receive: Receive, reply: Reply
) -> None:
    try:
        call = AsgiCall(verb, headers)
        if method is None:
            await reply.reject(unknown_method())
        else:
            await method(call, Messages(receive, call.encoding), reply)
    except RejectedError as rejection:
        await reply.reject(rejection)
    except NotGrpcError as rejection:
        await reply.not_grpc(rejection)


async def _end_badly(reply: Reply, why: RejectedError) -> None:
    try:
        await reply.reject(why)
    except CallerGoneError:
        pass
    except BaseException as error:
        _raise_if_destroyed(error)
        log.exception("the end of a reply could not be sent")


def _raise_if_destroyed(error: BaseException) -> None:
    """Raise what Python raises in a coroutine that is destroyed after its loop: no end can be sent."""
    if isinstance(error, GeneratorExit) and not asyncio._get_running_loop():  # noqa: SLF001 - documented
        raise error
