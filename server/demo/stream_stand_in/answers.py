"""Answers a question in each of the stand-in's ways."""

import asyncio
import gzip
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from server.demo.stream_stand_in.bodies import error_body, get_call_body
from server.demo.stream_stand_in.stand_in import Behaviour, KnownCall, StreamStandIn

_HUGE = 10 * 1024 * 1024
_DRIP_SECONDS = 0.05
_DATES = {"created_at", "updated_at", "started_at", "ended_at", "live_started_at", "live_ended_at"}
_GONE = struct.pack("ii", 1, 0)


async def answer(stand_in: StreamStandIn, call: KnownCall | None, request: web.Request) -> web.StreamResponse:
    """Answer a question about a call, or about one the stand-in does not know."""
    behaviour = stand_in.behaviour_for(call)
    if behaviour in _WAYS:
        return await _WAYS[behaviour](stand_in, call, request)
    if call is None:
        return error(stand_in, 404, 16, "GetCall failed with error: can't find call")
    return _ANSWERS[behaviour](get_call_body(call), rate_limit_headers(stand_in))


def error(stand_in: StreamStandIn, status: int, code: int, message: str) -> web.Response:
    """Answer with Stream's error envelope."""
    body = error_body(status, code, message)
    return web.json_response(body, status=status, headers=rate_limit_headers(stand_in))


def rate_limit_headers(stand_in: StreamStandIn, remaining: int = 999) -> dict[str, str]:
    """Make the headers that stand on every answer of Stream's."""
    return {
        "X-RateLimit-Limit": "1000",
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(int(time.time()) + stand_in.rate_limit_seconds),
    }


async def _slow(stand_in: StreamStandIn, call: KnownCall | None, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(stand_in.slow_seconds)
    return _say(stand_in, call, request)


async def _hang(_stand_in: StreamStandIn, _call: KnownCall | None, _request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _drip(
    _stand_in: StreamStandIn, _call: KnownCall | None, request: web.Request
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(_DRIP_SECONDS)
