"""The Stream stand-in, with good responses that are ready: what it takes, the server cannot have.

On two cores all share them. A request for a hundred calls would take the stand-in 16 ms of one, and of
each second a seventh, if a server asks about a thousand calls.
"""

import asyncio
import json
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from demo.stream_stand_in.application import web_application
from demo.stream_stand_in.bodies import DEFAULT_MEMBERS, call_item, get_call_body, query_calls_body
from demo.stream_stand_in.endpoints import GET_CALL, QUERY_CALLS, Endpoint, Fault
from demo.stream_stand_in.query_request import parse_query, split_cid
from demo.stream_stand_in.responses import rate_limit_headers
from demo.stream_stand_in.stand_in import Behaviour, KnownCall, StreamStandIn

_GET_CALL_PATH = "/api/v2/video/call/"
_QUERY_CALLS_PATH = "/api/v2/video/calls"


def quick_application(stand_in: StreamStandIn) -> web.Application:
    """Make the web application of a stand-in that responds quickly, as long as it behaves well.

    It lets in whoever asks, has calls in the order in which they are asked for, and gives none a
    behaviour of its own.
    """
    application = web_application(stand_in)
    application.middlewares.append(_quick_responses(stand_in))
    return application


def _quick_responses(stand_in: StreamStandIn) -> Middleware:
    @web.middleware
    async def respond(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = None
        if stand_in.behaviour is Behaviour.WELL:
            if request.path.startswith(_GET_CALL_PATH):
                response = _get_call(stand_in, request)
            elif request.path == _QUERY_CALLS_PATH:
                response = _query_calls(stand_in, await request.read())
        if response is None:
            return await handler(request)
        await asyncio.sleep(stand_in.latency_seconds)
        return response

    return respond


def _get_call(stand_in: StreamStandIn, request: web.Request) -> web.Response | None:
    names = request.match_info["type"], request.match_info["id"]
    call = stand_in.find(*names)
    if call is None:
        return None
    stand_in.requests[names] += 1
    members_limit = int(request.query.get("members_limit", DEFAULT_MEMBERS))
    return _response(stand_in, GET_CALL, _call_body(call, members_limit))


def _query_calls(stand_in: StreamStandIn, body: bytes) -> web.Response | None:
    query = parse_query(body)
    if isinstance(query, Fault) or len(query.cids) > query.limit:
        return None
    stand_in.queries.append(query.cids)
    calls = (stand_in.find(*split_cid(cid)) for cid in dict.fromkeys(query.cids))
    items = b", ".join(_item(call) for call in calls if call)
    return _response(stand_in, QUERY_CALLS, _NO_CALLS.replace(b"[]", b"[%b]" % items))


def _response(stand_in: StreamStandIn, endpoint: Endpoint, body: bytes) -> web.Response:
    headers = rate_limit_headers(stand_in, endpoint, endpoint.status)
    return web.Response(
        body=body,
        status=endpoint.status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


_NO_CALLS = json.dumps(query_calls_body([], {})).encode()


@cache
def _call_body(call: KnownCall, members_limit: int) -> bytes:
    return json.dumps(get_call_body(call_item(call, members_limit))).encode()


@cache
def _item(call: KnownCall) -> bytes:
    return json.dumps(call_item(call)).encode()
