"""A reply: headers, messages and trailers; or, if there is no message, the trailers as headers."""

import asyncio

from google.rpc import code_pb2

from server.transport.asgi.framing import frame
from server.transport.asgi.headers import encode, encode_message
from server.transport.asgi.rejections import NotGrpcError, RejectedError
from server.transport.asgi.types import CallerGoneError, Event, Headers, Send
from server.transport.call_context import REQUEST_ID_KEY
from server.transport.failures import Failure

_GRPC = (b"content-type", b"application/grpc")
_OK = (b"grpc-status", b"0")
_REQUEST_ID = REQUEST_ID_KEY.encode()
# What has been sent to the host. Trailers are due after a body, unless the reply is headers only.
_NOTHING, _HEADERS, _BODY, _HEADERS_ALONE, _ALL = range(5)
# Made once: the host only reads it.
_START: Event = {
    "type": "http.response.start",
    "status": 200,
    "headers": [_GRPC],
    "trailers": True,
}


class Reply:
    """One reply, sent as ASGI events; sending raises CallerGoneError.

    If an end is cancelled while it is sent, another may follow: it sends only what is still due.
    """

    __slots__ = ("_send", "_sent")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent = _NOTHING

    async def message_alone(self, message: bytes, encoding: bytes, request_id: str) -> None:
        """Send the one message of a call that succeeded, and its end."""
        send, self._sent = self._send, _HEADERS
        try:
            await send(_start(encoding))
            body = frame(message, encoding)
            self._sent = _BODY
            await send({"type": "http.response.body", "body": body})
            trailers = [_OK, (_REQUEST_ID, request_id.encode())]
            self._sent = _ALL
            await send({"type": "http.response.trailers", "headers": trailers})
        except OSError:
            raise CallerGoneError from None

    async def message(self, message: bytes, encoding: bytes) -> None:
        """Send one of several messages, and wait until there is room for the next."""
        if self._sent == _NOTHING:
            await self._advance(_HEADERS, _start(encoding))
        event = {"type": "http.response.body", "body": frame(message, encoding), "more_body": True}
        # The host does not support that a pending send() is cancelled.
        sending = asyncio.ensure_future(self._put(event))
        sending.add_done_callback(_look_at)
        await asyncio.shield(sending)

    async def end(self) -> None:
        """End a call of several messages, or of none, that succeeded."""
        await self._end([_OK])

    async def fail(self, failure: Failure) -> None:
        """End a call that failed."""
        await self._end([*_status(failure.code, failure.message), *encode(failure.trailers)])

    async def reject(self, rejection: RejectedError) -> None:
        """End a call that reached no method."""
        await self._end([*_status(rejection.code, rejection.message), *rejection.headers])

    async def not_grpc(self, rejection: NotGrpcError) -> None:
        """Reject what is not gRPC by an HTTP status without content."""
        await self._advance(_HEADERS_ALONE, _headers(rejection.status, list(rejection.headers)))
        await self._end([])

    async def _end(self, trailers: Headers) -> None:
        if self._sent == _NOTHING:
            await self._advance(_HEADERS_ALONE, _headers(200, [_GRPC, *trailers]))
        if self._sent == _HEADERS_ALONE:
            await self._advance(_ALL, {"type": "http.response.body", "body": b""})
        if self._sent == _HEADERS:
            await self._advance(_BODY, {"type": "http.response.body", "body": b""})
        if self._sent == _BODY:
            await self._advance(_ALL, {"type": "http.response.trailers", "headers": trailers})

    async def _advance(self, sent: int, event: Event) -> None:
        """Hand an event to the host, which has not taken it only if it raises an error."""
        before, self._sent = self._sent, sent
        try:
            await self._put(event)
        except Exception:
            self._sent = before
            raise

    async def _put(self, event: Event) -> None:
        try:
            await self._send(event)
        except OSError:
            raise CallerGoneError from None


def _look_at(sending: "asyncio.Future[None]") -> None:
    """Retrieve its failure, which asyncio would log if nothing awaits it any more."""
    if not sending.cancelled():
        sending.exception()


def _headers(status: int, headers: Headers) -> Event:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _start(encoding: bytes) -> Event:
    if encoding == b"identity":
        return _START
    return {**_START, "headers": [_GRPC, (b"grpc-encoding", encoding)]}


def _status(code: int, message: str) -> Headers:
    if code == code_pb2.OK:
        raise ValueError("a failure is not OK")
    return [(b"grpc-status", b"%d" % code), (b"grpc-message", encode_message(message))]
