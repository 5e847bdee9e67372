"""The stand-in's responses that are wrong in how they arrive."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from demo.stream_stand_in.bodies import Body
from demo.stream_stand_in.endpoints import Endpoint, Fault
from demo.stream_stand_in.responses import HUGE, plain_response
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn

_DRIP_SECONDS = 0.05
_PART = 64 * 1024
# SO_LINGER of zero seconds: closing then sends a reset.
_NO_LINGER = struct.pack("ii", 1, 0)


async def respond(
    stand_in: StreamStandIn,
    endpoint: Endpoint,
    behaviour: Behaviour,
    content: Body | Fault,
    request: web.Request,
) -> web.StreamResponse:
    """Respond to a request by the behaviour, which is well with the content as it is."""
    if _is_kept(stand_in, request) and behaviour in _DROPS:
        return await _DROPS[behaviour](request)
    if behaviour is Behaviour.HANG:
        await asyncio.Event().wait()
    if behaviour is Behaviour.SLOW:
        await asyncio.sleep(stand_in.slow_seconds)
    if isinstance(content, Fault) or behaviour not in _WAYS:
        return plain_response(stand_in, endpoint, behaviour, content)
    return await _WAYS[behaviour](content, endpoint, request)


def _is_kept(stand_in: StreamStandIn, request: web.Request) -> bool:
    """Return whether a request has come by the connection before, and note that one has now."""
    connection = request.transport
    is_kept = connection in stand_in.kept
    if connection:
        stand_in.kept.add(connection)
    return is_kept


async def _drip(body: Body, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    response = await _begin(endpoint, request)
    for byte in json.dumps(body).encode():
        await response.write(bytes([byte]))
        await asyncio.sleep(_DRIP_SECONDS)
    return response


async def _huge(body: Body, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    response = await _begin(endpoint, request)
    await response.write(json.dumps(body).encode())
    for _ in range(HUGE // _PART):
        await response.write(b" " * _PART)
    return response


async def _cut(body: Body, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    text = json.dumps(body).encode()
    response = await _begin(endpoint, request, {"Content-Length": str(len(text))})
    await response.write(text[: len(text) // 2])
    return await _reset(request)


async def _reset_at_once(_body: Body, _endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
    return await _reset(request)


async def _close(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.close()
    return web.Response()


async def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        request.transport.abort()
    return web.Response()


async def _begin(
    endpoint: Endpoint, request: web.Request, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    headers = {"Content-Type": "application/json"} | (headers or {})
    response = web.StreamResponse(status=endpoint.status, headers=headers)
    await response.prepare(request)
    return response


_Way = Callable[[Body, Endpoint, web.Request], Awaitable[web.StreamResponse]]
_WAYS: dict[Behaviour, _Way] = {
    Behaviour.DRIP: _drip,
    Behaviour.HUGE: _huge,
    Behaviour.CUT: _cut,
    Behaviour.RESET: _reset_at_once,
}
_DROPS: dict[Behaviour, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
    Behaviour.DROPPED: _close,
    Behaviour.DROPPED_BY_RESET: _reset,
}
