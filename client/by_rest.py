"""The REST client."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from client.caller import (
    CallerError,
    CallNotFoundError,
    ServiceFailedError,
    TokenRefusedError,
    UnavailableError,
)
from client.rest_json import parse
from client.settings import CallerSettings
from client.tls import make_ssl_context

_KINDS: dict[int, type[CallerError]] = {
    HTTPStatus.NOT_FOUND: CallNotFoundError,
    HTTPStatus.UNAUTHORIZED: TokenRefusedError,
    HTTPStatus.FORBIDDEN: TokenRefusedError,
    HTTPStatus.REQUEST_TIMEOUT: UnavailableError,
    HTTPStatus.TOO_MANY_REQUESTS: UnavailableError,
    HTTPStatus.BAD_GATEWAY: UnavailableError,
    HTTPStatus.SERVICE_UNAVAILABLE: UnavailableError,
    HTTPStatus.GATEWAY_TIMEOUT: UnavailableError,
}


class RestCaller:
    """A Caller by REST; the timeout, in seconds, is for connecting and for the wait for a response."""

    def __init__(self, url: str, settings: CallerSettings, timeout: float) -> None:
        self._url = f"{url.rstrip('/')}/v1/live/calls/"
        self._client = httpx.Client(
            headers=settings.bearer, timeout=timeout, verify=make_ssl_context(settings)
        )
        self._known = ""
        self._etag: dict[str, str] = {}

    def ask(self, call_id: str) -> str:
        try:
            reply = self._client.get(self._url + quote(call_id, safe=""), headers=self._etag)
        except httpx.RequestError as error:
            raise UnavailableError(str(error) or type(error).__name__) from None
        if reply.status_code == HTTPStatus.NOT_MODIFIED:
            return self._known
        if reply.status_code != HTTPStatus.OK:
            raise _failure(reply)
        parse(reply.text)
        self._known = reply.text
        self._etag = {"if-none-match": reply.headers["etag"]} if "etag" in reply.headers else {}
        return self._known

    def close(self) -> None:
        self._client.close()


def _failure(reply: httpx.Response) -> CallerError:
    body = _parse_error(reply)
    if body is None:
        return ServiceFailedError(f"the answer is not LiveCalls' (status {reply.status_code})")
    return _KINDS.get(reply.status_code, ServiceFailedError)(str(body["message"]))


def _parse_error(reply: httpx.Response) -> dict[str, Any] | None:
    try:
        body = reply.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) and {"error", "message"} <= body.keys() else None
