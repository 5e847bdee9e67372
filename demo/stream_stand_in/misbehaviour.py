"""The stand-in's responses that are wrong in how they arrive."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from demo.stream_stand_in.bodies import DEFAULT_MEMBERS, get_call_body
from demo.stream_stand_in.responses import HUGE, Body, plain_response
from demo.stream_stand_in.stand_in import Behaviour, KnownCall, StreamStandIn

_DRIP_SECONDS = 0.05
_PART = 64 * 1024
# SO_LINGER of zero seconds: closing then sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)


async def respond(
    stand_in: StreamStandIn, call: KnownCall | None, request: web.Request
) -> web.StreamResponse:
    """Respond to a request for a call, known or not, by the stand-in's behaviour."""
    behaviour = stand_in.behaviour_for(call)
    if _is_kept(stand_in, request) and behaviour in _DROPS:
        return await _DROPS[behaviour]({}, request)
    if behaviour is Behaviour.HANG:
        await asyncio.Event().wait()
    if behaviour is Behaviour.SLOW:
        await asyncio.sleep(stand_in.slow_seconds)
    limit = int(request.query.get("members_limit", DEFAULT_MEMBERS))
    body = get_call_body(call, limit) if call else None
    if body and behaviour in _WAYS:
        return await _WAYS[behaviour](body, request)
    return plain_response(stand_in, body, behaviour, "{type}:{id}".format(**request.match_info))


def _is_kept(stand_in: StreamStandIn, request: web.Request) -> bool:
    """Return whether a request has come by the connection before, and note that one has now."""
    connection = request.transport
    is_kept = connection in stand_in.kept
    if connection:
        stand_in.kept.add(connection)
    return is_kept


async def _drip(body: Body, request: web.Request) -> web.StreamResponse:
    response = await _begin(request)
    for byte in json.dumps(body).encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(_DRIP_SECONDS)
    return response


async def _huge(body: Body, request: web.Request) -> web.StreamResponse:
    response = await _begin(request)
    await response.write(json.dumps(body).encode())
    for _ in range(HUGE // _PART):
        await response.write(b" " * _PART)
    return response


async def _cut(body: Body, request: web.Request) -> web.StreamResponse:
    text = json.dumps(body).encode()
    response = await _begin(request, {"Content-Length": str(len(text))})
    await response.write(text[: len(text) // 2])
    return await _reset(body, request)


async def _close(_body: Body, request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.close()
    return web.Response()


async def _reset(_body: Body, request: web.Request) -> web.StreamResponse:
    if request.transport:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        request.transport.abort()
    return web.Response()


async def _begin(request: web.Request, headers: dict[str, str] | None = None) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"} | (headers or {}))
    await response.prepare(request)
    return response


_Way = Callable[[Body, web.Request], Awaitable[web.StreamResponse]]
_WAYS: dict[Behaviour, _Way] = {
    Behaviour.DRIP: _drip,
    Behaviour.HUGE: _huge,
    Behaviour.CUT: _cut,
    Behaviour.RESET: _reset,
}
_DROPS: dict[Behaviour, _Way] = {Behaviour.DROPPED: _close, Behaviour.DROPPED_BY_RESET: _reset}
