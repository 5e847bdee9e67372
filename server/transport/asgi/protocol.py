"""gRPC over HTTP/2, from a request's headers to the end of its reply."""

import asyncio
import logging

from server.transport.asgi.call import AsgiCall
from server.transport.asgi.interface import CallerGoneError, Headers, Receive, Send
from server.transport.asgi.messages import Messages
from server.transport.asgi.methods import Answering
from server.transport.asgi.refusals import (
    NotGrpcError,
    RefusedError,
    cancelled,
    fault,
    unknown_method,
)
from server.transport.asgi.reply import Reply

log = logging.getLogger("server.requests")


async def answer(
    method: Answering | None, verb: str, headers: Headers, receive: Receive, send: Send
) -> None:
    """Serve one request, whatever it is, and never raise: the host would send an OK instead.

    Without a method it is rejected.
    """
    reply = Reply(send)
    try:
        await _answer(method, verb, headers, receive, reply)
    except CallerGoneError:
        pass
    except asyncio.CancelledError:
        await _end_badly(reply, cancelled())
    except BaseException as error:
        _raise_if_destroyed(error)
        log.exception("a fault of the server")
        await _end_badly(reply, fault())


async def refuse(send: Send, why: RefusedError) -> None:
    """Reject a request without reading it, and never raise."""
    await _end_badly(Reply(send), why)


async def _answer(
    method: Answering | None, verb: str, headers: Headers, receive: Receive, reply: Reply
) -> None:
    try:
        call = AsgiCall(verb, headers)
        if method is None:
            await reply.refuse(unknown_method())
        else:
            await method(call, Messages(receive, call.encoding), reply)
    except RefusedError as refused:
        await reply.refuse(refused)
    except NotGrpcError as refused:
        await reply.not_grpc(refused)


async def _end_badly(reply: Reply, why: RefusedError) -> None:
    try:
        await reply.refuse(why)
    except CallerGoneError:
        pass
    except BaseException as error:
        _raise_if_destroyed(error)
        log.exception("no end of a reply could be sent")


def _raise_if_destroyed(error: BaseException) -> None:
    """Raise what Python raises in a coroutine that is destroyed after its loop: no end can be sent."""
    if isinstance(error, GeneratorExit) and not asyncio._get_running_loop():  # noqa: SLF001 - documented
        raise error
