"""The stand-in's answers that are wrong in what they say."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from server.demo.stream_stand_in.bodies import error_body, get_call_body
from server.demo.stream_stand_in.stand_in import Behaviour, KnownCall, StreamStandIn

HUGE = 10 * 1024 * 1024


def plain_answer(stand_in: StreamStandIn, call: KnownCall | None, behaviour: Behaviour) -> web.Response:
    """Answer a question about a call, or about one that is not known, at once and in one piece."""
    if behaviour in _ERRORS:
        return error_answer(stand_in, *_ERRORS[behaviour])
    if call is None:
        return error_answer(stand_in, *_ERRORS[Behaviour.NOT_FOUND])
    response = _ANSWERS.get(behaviour, _well)(call)
    response.headers.update(rate_limit_headers(stand_in))
    return response


def error_answer(stand_in: StreamStandIn, status: int, code: int, message: str) -> web.Response:
    """Answer with Stream's error envelope."""
    body = error_body(status, code, message)
    return web.json_response(body, status=status, headers=rate_limit_headers(stand_in))


def rate_limit_headers(stand_in: StreamStandIn) -> dict[str, str]:
    """Make the headers that stand on every answer of Stream's."""
    return {
        "X-RateLimit-Limit": "1000",
        "X-RateLimit-Remaining": "0" if stand_in.behaviour is Behaviour.RATE_LIMITED else "999",
        "X-RateLimit-Reset": str(int(time.time()) + stand_in.rate_limit_seconds),
    }


_ERRORS = {
    Behaviour.BAD_REQUEST: (400, 4, "GetCall failed with error: the id is not valid"),
    Behaviour.UNAUTHORIZED: (401, 5, "JWTAuth error: signature is not valid"),
    Behaviour.NOT_FOUND: (404, 16, "GetCall failed with error: can't find call"),
    Behaviour.RATE_LIMITED: (429, 9, "Too many requests, check response headers for more information."),
    Behaviour.ERROR: (500, -1, "internal server error"),
}


def _well(call: KnownCall) -> web.Response:
    return web.json_response(get_call_body(call))


def _truncated(call: KnownCall) -> web.Response:
    text = json.dumps(get_call_body(call))
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


def _iso_dates(call: KnownCall) -> web.Response:
    return web.json_response(_with_iso_dates(get_call_body(call)))


def _missing_fields(call: KnownCall) -> web.Response:
    body = get_call_body(call)
    del body["call"]["backstage"], body["call"]["session"]
    return web.json_response(body)


def _wrong_types(call: KnownCall) -> web.Response:
    body = get_call_body(call)
    body["call"]["backstage"] = "false"
    return web.json_response(body)


def _huge_compressed(call: KnownCall) -> web.Response:
    body = get_call_body(call) | {"padding": "x" * HUGE}
    return web.Response(
        body=gzip.compress(json.dumps(body).encode()), headers={"Content-Encoding": "gzip"}
    )


def _said(body: bytes, content_type: str = "application/json", status: int = 200) -> "_Say":
    return lambda _call: web.Response(body=body, content_type=content_type, status=status)


def _with_iso_dates(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: datetime.fromtimestamp(part / 10**9, UTC).isoformat()
            if key.endswith("_at") and part is not None
            else _with_iso_dates(part)
            for key, part in value.items()
        }
    return [_with_iso_dates(part) for part in value] if isinstance(value, list) else value


_Say = Callable[[KnownCall], web.Response]
_ANSWERS: dict[Behaviour, _Say] = {
    Behaviour.BROKEN_ENVELOPE: _said(b'{"code": -1}', status=500),
    Behaviour.HTML: _said(b"<html><body>Bad gateway</body></html>", "text/html"),
    Behaviour.NULL: _said(b"null"),
    Behaviour.EMPTY: _said(b""),
    Behaviour.TRUNCATED: _truncated,
    Behaviour.ISO_DATES: _iso_dates,
    Behaviour.MISSING_FIELDS: _missing_fields,
    Behaviour.WRONG_TYPES: _wrong_types,
    Behaviour.HUGE_COMPRESSED: _huge_compressed,
    Behaviour.HUGE_NUMBER: _said(b'{"call": ' + b"1" * 5000 + b"}"),
    Behaviour.DEEP: _said(b"[" * 100_000),
}
