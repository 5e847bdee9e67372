"""The stand-in as a web application: Stream's GetCall and QueryCalls, and its controls."""

import asyncio
from http import HTTPStatus

import jwt
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from demo.stream_stand_in.bodies import DEFAULT_MEMBERS, Body, call_item, get_call_body
from demo.stream_stand_in.endpoints import GET_CALL, QUERY_CALLS, Endpoint, Fault
from demo.stream_stand_in.items import spoil
from demo.stream_stand_in.misbehaviour import respond
from demo.stream_stand_in.query_request import parse_query
from demo.stream_stand_in.query_response import query_behaviour, query_body
from demo.stream_stand_in.responses import NO_ENDPOINT, error_response
from demo.stream_stand_in.stand_in import Behaviour, KnownCall, State, StreamStandIn

_STAND_IN = web.AppKey("stand_in", StreamStandIn)
# Braces too, which aiohttp excludes by default.
_CALL = "/{type:[^/]+}/{id:[^/]+}"


def web_application(stand_in: StreamStandIn) -> web.Application:
    """Make the web application of a stand-in."""
    application = web.Application()
    application[_STAND_IN] = stand_in
    application.add_routes(
        [
            web.get("/api/v2/video/call" + _CALL, _get_call),
            web.post("/api/v2/video/calls", _query_calls),
            web.put("/stand-in/calls" + _CALL, _put_call),
            web.put("/stand-in/behaviour", _put_behaviour),
            web.put("/stand-in/delays", _put_delays),
            web.get("/stand-in/requests", _get_requests),
            web.get("/stand-in/queries", _get_queries),
            web.route("*", "/{path:.*}", _no_endpoint),
        ]
    )
    return application


async def _get_call(request: web.Request) -> web.StreamResponse:
    stand_in = request.app[_STAND_IN]
    call_type, call_id = request.match_info["type"], request.match_info["id"]
    stand_in.requests[call_type, call_id] += 1
    call = stand_in.find(call_type, call_id)
    behaviour = stand_in.behaviour_for(call)
    return await _respond(GET_CALL, behaviour, _get_call_content(call, behaviour, request), request)


def _get_call_content(
    call: KnownCall | None, behaviour: Behaviour, request: web.Request
) -> Body | Fault:
    if call is None or behaviour is Behaviour.NOT_FOUND:
        cid = "{type}:{id}".format(**request.match_info)
        return GET_CALL.fault(404, 16, f"Can't find call with id {cid}")
    members_limit = int(request.query.get("members_limit", DEFAULT_MEMBERS))
    return get_call_body(spoil(call_item(call, members_limit), behaviour))


async def _query_calls(request: web.Request) -> web.StreamResponse:
    stand_in = request.app[_STAND_IN]
    query = parse_query(await request.read())
    if isinstance(query, Fault):
        return await _respond(QUERY_CALLS, stand_in.behaviour, query, request)
    stand_in.queries.append(query.cids)
    behaviour, body = query_behaviour(stand_in, query), query_body(stand_in, query)
    return await _respond(QUERY_CALLS, behaviour, body, request)


async def _respond(
    endpoint: Endpoint, behaviour: Behaviour, content: Body | Fault, request: web.Request
) -> web.StreamResponse:
    """Respond after the latency, to those who authenticate themselves, by the behaviour."""
    stand_in = request.app[_STAND_IN]
    stand_in.last_traceparent = request.headers.get("traceparent")
    await asyncio.sleep(stand_in.latency_seconds)
    if fault := _authentication_fault(stand_in, request):
        return error_response(stand_in, endpoint, fault)
    return await respond(stand_in, endpoint, behaviour, content, request)


async def _no_endpoint(request: web.Request) -> web.Response:
    return error_response(request.app[_STAND_IN], GET_CALL, NO_ENDPOINT)


def _authentication_fault(stand_in: StreamStandIn, request: web.Request) -> Fault | None:
    if request.query.get("api_key") != stand_in.key:
        return Fault(401, 2, "api_key not valid")
    if request.headers.get("stream-auth-type") != "jwt":
        return Fault(401, 5, "JWTAuth error: stream-auth-type is not jwt")
    try:
        jwt.decode(request.headers.get("Authorization", ""), stand_in.secret, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return Fault(401, 5, "JWTAuth error: signature is not valid")
    return None


class _CallControl(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    behaviour: Behaviour | None = None


class _BehaviourControl(BaseModel):
    model_config = ConfigDict(extra="forbid")

    behaviour: Behaviour


class _DelaysControl(BaseModel):
    model_config = ConfigDict(extra="forbid")

    latency_seconds: float = Field(0, ge=0, allow_inf_nan=False)
    lag_seconds: float = Field(0, ge=0, allow_inf_nan=False)


async def _put_call(request: web.Request) -> web.Response:
    """Change what is named, and leave the rest of the call as it is."""
    try:
        control = _CallControl.model_validate_json(await request.read() or b"{}")
    except ValidationError as error:
        return _not_understood(error)
    stand_in, names = request.app[_STAND_IN], request.match_info
    known = stand_in.find(names["type"], names["id"])
    call = stand_in.put(
        names["type"],
        names["id"],
        control.state or (known.state if known else State.ON_AIR),
        control.behaviour or (known.behaviour if known else None),
    )
    return web.json_response({"state": call.state, "behaviour": stand_in.behaviour_for(call)})


async def _put_behaviour(request: web.Request) -> web.Response:
    try:
        control = _BehaviourControl.model_validate_json(await request.read())
    except ValidationError as error:
        return _not_understood(error)
    request.app[_STAND_IN].behaviour = control.behaviour
    return web.json_response(control.model_dump())


async def _put_delays(request: web.Request) -> web.Response:
    """Change what is named, and leave the other delay as it is."""
    try:
        control = _DelaysControl.model_validate_json(await request.read())
    except ValidationError as error:
        return _not_understood(error)
    stand_in = request.app[_STAND_IN]
    for name in control.model_fields_set:
        setattr(stand_in, name, getattr(control, name))
    return web.json_response({name: getattr(stand_in, name) for name in _DelaysControl.model_fields})


async def _get_requests(request: web.Request) -> web.Response:
    requests = request.app[_STAND_IN].requests
    return web.json_response(
        {f"{call_type}/{call_id}": count for (call_type, call_id), count in requests.items()}
    )


async def _get_queries(request: web.Request) -> web.Response:
    return web.json_response(request.app[_STAND_IN].queries)


def _not_understood(error: ValidationError) -> web.Response:
    faults = {".".join(map(str, fault["loc"])): fault["msg"] for fault in error.errors()}
    return web.json_response({"error": faults}, status=HTTPStatus.BAD_REQUEST)
