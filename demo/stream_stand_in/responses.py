"""The stand-in's responses that are wrong in their content."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from demo.stream_stand_in.bodies import crowd, error_body, leave_out_unset, write_iso_dates
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn

Body = dict[str, Any]
"""GetCall's response about a call, before it is changed."""
HUGE = 10 * 1024 * 1024


def plain_response(
    stand_in: StreamStandIn, body: Body | None, behaviour: Behaviour, cid: str
) -> web.Response:
    """Respond to a request for a call, known or not, at once and in one piece."""
    if behaviour in _ERRORS:
        return error_response(stand_in, *_ERRORS[behaviour])
    if body is None or behaviour is Behaviour.NOT_FOUND:
        return error_response(stand_in, 404, 16, _NO_SUCH_CALL.format(cid))
    response = _RESPONSES.get(behaviour, _well)(body)
    response.headers.update(rate_limit_headers(stand_in))
    return response


def error_response(stand_in: StreamStandIn, status: int, code: int, message: str) -> web.Response:
    """Respond with Stream's error envelope."""
    body = error_body(status, code, message)
    return web.json_response(body, status=status, headers=rate_limit_headers(stand_in))


def rate_limit_headers(stand_in: StreamStandIn) -> dict[str, str]:
    """Return the headers that every response of Stream has."""
    return {
        "X-RateLimit-Limit": "1000",
        "X-RateLimit-Remaining": "0" if stand_in.behaviour is Behaviour.RATE_LIMITED else "999",
        "X-RateLimit-Reset": str(int(time.time()) + stand_in.rate_limit_seconds),
    }


_NO_SUCH_CALL = 'GetCall failed with error: "Can\'t find call with id {}"'
_ERRORS = {
    Behaviour.BAD_REQUEST: (400, 4, "GetCall failed with error: the id is not valid"),
    Behaviour.UNAUTHORIZED: (401, 5, "JWTAuth error: signature is not valid"),
    Behaviour.NO_ENDPOINT: (404, 16, "Not Found"),
    Behaviour.RATE_LIMITED: (429, 9, "Too many requests, check response headers for more information."),
    Behaviour.ERROR: (500, -1, "internal server error"),
}


def _well(body: Body) -> web.Response:
    return web.json_response(body)


def _truncate(body: Body) -> web.Response:
    text = json.dumps(body)
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


def _drop_fields(body: Body) -> web.Response:
    del body["call"]["backstage"], body["call"]["session"]
    return web.json_response(body)


def _wrong_types(body: Body) -> web.Response:
    body["call"]["backstage"] = "false"
    return web.json_response(body)


def _other_call(body: Body) -> web.Response:
    body["call"] |= {"id": "another", "cid": f"{body['call']['type']}:another"}
    return web.json_response(body)


def _redirect(_body: Body) -> web.Response:
    return web.Response(status=302, headers={"Location": "https://stream.example.com/"})


def _compress_huge(body: Body) -> web.Response:
    text = json.dumps(body | {"padding": "x" * HUGE})
    return web.Response(body=gzip.compress(text.encode()), headers={"Content-Encoding": "gzip"})


def _respond_with(text: bytes, content_type: str = "application/json", status: int = 200) -> "_Say":
    return lambda _body: web.Response(body=text, content_type=content_type, status=status)


_Say = Callable[[Body], web.Response]
_RESPONSES: dict[Behaviour, _Say] = {
    Behaviour.BROKEN_ENVELOPE: _respond_with(b'{"code": -1}', status=500),
    Behaviour.HTML: _respond_with(b"<html><body>Bad gateway</body></html>", "text/html"),
    Behaviour.NULL: _respond_with(b"null"),
    Behaviour.EMPTY: _respond_with(b""),
    Behaviour.TRUNCATED: _truncate,
    Behaviour.ISO_DATES: lambda body: _well(write_iso_dates(body)),
    Behaviour.UNSET_LEFT_OUT: lambda body: _well(leave_out_unset(body)),
    Behaviour.CROWDED: lambda body: _well(crowd(body)),
    Behaviour.OTHER_CALL: _other_call,
    Behaviour.REDIRECT: _redirect,
    Behaviour.MISSING_FIELDS: _drop_fields,
    Behaviour.WRONG_TYPES: _wrong_types,
    Behaviour.HUGE_COMPRESSED: _compress_huge,
    Behaviour.HUGE_NUMBER: _respond_with(b'{"call": ' + b"1" * 5000 + b"}"),
    Behaviour.DEEP: _respond_with(b"[" * 100_000),
}
