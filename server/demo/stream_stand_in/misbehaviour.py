"""The stand-in's answers that are wrong in how they arrive."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from server.demo.stream_stand_in.answers import HUGE, plain_answer
from server.demo.stream_stand_in.bodies import get_call_body
from server.demo.stream_stand_in.stand_in import Behaviour, KnownCall, StreamStandIn

_DRIP_SECONDS = 0.05
_PART = 64 * 1024
# SO_LINGER of zero seconds: closing then sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)


async def answer(
    stand_in: StreamStandIn, call: KnownCall | None, request: web.Request
) -> web.StreamResponse:
    """Answer a question about a call, or about one that is not known, as the stand-in is told to."""
    behaviour = stand_in.behaviour_for(call)
    if behaviour is Behaviour.HANG:
        await asyncio.Event().wait()
    if behaviour is Behaviour.SLOW:
        await asyncio.sleep(stand_in.slow_seconds)
    if call and behaviour in _WAYS:
        return await _WAYS[behaviour](call, request)
    return plain_answer(stand_in, call, behaviour)


async def _drip(call: KnownCall, request: web.Request) -> web.StreamResponse:
    response = await _begun(request)
    for byte in json.dumps(get_call_body(call)).encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(_DRIP_SECONDS)
    return response


async def _huge(call: KnownCall, request: web.Request) -> web.StreamResponse:
    response = await _begun(request)
    await response.write(json.dumps(get_call_body(call)).encode())
    for _ in range(HUGE // _PART):
        await response.write(b" " * _PART)
    return response


async def _cut(call: KnownCall, request: web.Request) -> web.StreamResponse:
    body = json.dumps(get_call_body(call)).encode()
    response = await _begun(request, {"Content-Length": str(len(body))})
    await response.write(body[: len(body) // 2])
    return await _reset(call, request)


async def _reset(_call: KnownCall, request: web.Request) -> web.StreamResponse:
    if request.transport:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        request.transport.abort()
    return web.Response()


async def _begun(request: web.Request, headers: dict[str, str] | None = None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"} | (headers or {}))
    await response.prepare(request)
    return response


_WAYS: dict[Behaviour, Callable[[KnownCall, web.Request], Awaitable[web.StreamResponse]]] = {
    Behaviour.DRIP: _drip,
    Behaviour.HUGE: _huge,
    Behaviour.CUT: _cut,
    Behaviour.RESET: _reset,
}
