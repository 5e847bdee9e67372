"""The stand-in's responses that are wrong as a whole, in their content."""

import gzip
import json
import time
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from demo.stream_stand_in.bodies import Body, error_body
from demo.stream_stand_in.endpoints import Endpoint, Fault
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn

HUGE = 10 * 1024 * 1024
NO_ENDPOINT = Fault(404, 16, "Not Found")


def plain_response(
    stand_in: StreamStandIn, endpoint: Endpoint, behaviour: Behaviour, content: Body | Fault
) -> web.Response:
    """Respond by the behaviour, at once and in one piece: with a fault's envelope, or a body."""
    if fault := _fault(endpoint, behaviour):
        return error_response(stand_in, endpoint, fault)
    if isinstance(content, Fault):
        return error_response(stand_in, endpoint, content)
    response = _RESPONSES.get(behaviour, _well)(content)
    if response.status == HTTPStatus.OK:
        response.set_status(endpoint.status)
    response.headers.update(rate_limit_headers(stand_in, endpoint, response.status))
    return response


def error_response(stand_in: StreamStandIn, endpoint: Endpoint, fault: Fault) -> web.Response:
    """Respond with Stream's error envelope."""
    headers = rate_limit_headers(stand_in, endpoint, fault.status)
    return web.json_response(error_body(fault), status=fault.status, headers=headers)


def rate_limit_headers(stand_in: StreamStandIn, endpoint: Endpoint, status: int) -> dict[str, str]:
    """Return the headers that every response of Stream has."""
    remaining = 0 if status == HTTPStatus.TOO_MANY_REQUESTS else endpoint.rate_limit - 1
    return {
        "X-RateLimit-Limit": str(endpoint.rate_limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(int(time.time()) + stand_in.rate_limit_seconds),
    }


def _fault(endpoint: Endpoint, behaviour: Behaviour) -> Fault | None:
    if behaviour is Behaviour.BAD_REQUEST:
        return endpoint.input_fault("the id is not valid")
    return _FAULTS.get(behaviour)


_FAULTS = {
    Behaviour.UNAUTHORIZED: Fault(401, 5, "JWTAuth error: signature is not valid"),
    Behaviour.NO_ENDPOINT: NO_ENDPOINT,
    Behaviour.RATE_LIMITED: Fault(
        429, 9, "Too many requests, check response headers for more information."
    ),
    Behaviour.ERROR: Fault(500, -1, "internal server error"),
}


def _well(body: Body) -> web.Response:
    return web.json_response(body)


def _truncate(body: Body) -> web.Response:
    text = json.dumps(body)
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


def _redirect(_body: Body) -> web.Response:
    return web.Response(status=302, headers={"Location": "https://stream.example.com/"})


def _compress_huge(body: Body) -> web.Response:
    text = json.dumps(body | {"padding": "x" * HUGE})
    return web.Response(body=gzip.compress(text.encode()), headers={"Content-Encoding": "gzip"})


def _huge_number(body: Body) -> web.Response:
    # Formatted by hand: Python's json writes no number of so many digits.
    text = f'{{"{next(iter(body))}": {"1" * 5000}}}'
    return web.Response(text=text, content_type="application/json")


def _respond_with(text: bytes, content_type: str = "application/json", status: int = 200) -> "_Say":
    return lambda _body: web.Response(body=text, content_type=content_type, status=status)


_Say = Callable[[Body], web.Response]
_RESPONSES: dict[Behaviour, _Say] = {
    Behaviour.BROKEN_ENVELOPE: _respond_with(b'{"code": -1}', status=500),
    Behaviour.HTML: _respond_with(b"<html><body>Bad gateway</body></html>", "text/html"),
    Behaviour.NULL: _respond_with(b"null"),
    Behaviour.EMPTY: _respond_with(b""),
    Behaviour.TRUNCATED: _truncate,
    Behaviour.REDIRECT: _redirect,
    Behaviour.HUGE_COMPRESSED: _compress_huge,
    Behaviour.HUGE_NUMBER: _huge_number,
    Behaviour.DEEP: _respond_with(b"[" * 100_000),
}
