"""An ASGI host in memory, which passes requests and checks replies as pyvoy does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from struct import pack, unpack_from
from typing import Any
from urllib.parse import unquote_to_bytes

from livecalls.v1 import live_calls_pb2 as pb

from server.application.get_call import GetCall
from server.auth.authenticator import AllowAll, Authenticator
from server.transport.admission import Admission
from server.transport.asgi.server import AsgiServer
from server.transport.asgi.types import Event, Headers
from server.transport.live_calls import LiveCalls
from tests.support.data.calls import CALL_ID, ScriptedPorts
from tests.support.server.service import GET_CALL

HEADERS = [(b"content-type", b"application/grpc"), (b"te", b"trailers")]
# What follows what in an ASGI reply.
_NEXT = {
    "": {"http.response.start"},
    "http.response.start": {"http.response.body"},
    "http.response.body": {"http.response.body", "http.response.trailers"},
}


def message(content: bytes, flag: int = 0) -> bytes:
    """Put gRPC's prefix before a message."""
    return pack(">BI", flag, len(content)) + content


REQUEST = message(pb.GetCallRequest(id=CALL_ID).SerializeToString())


class HostedClientGoneError(OSError):
    """What the host raises if a reply is sent to nobody."""


@dataclass
class Reply:
    """What the caller received."""

    status: int = 0
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    trailers: Headers | None = None

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The trailers, in whichever frame they are: each occurs once."""
        fields = self.headers if self.trailers is None else self.trailers
        assert len(dict(fields)) == len(fields)
        return dict(fields)

    @property
    def code(self) -> int:
        return int(self.fields[b"grpc-status"])

    @property
    def words(self) -> str:
        return unquote_to_bytes(self.fields.get(b"grpc-message", b"")).decode()

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """The flags and contents of the messages; the body must be made of nothing else."""
        messages, rest = [], self.body
        while rest:
            flag, length = unpack_from(">BI", rest)
            content, rest = rest[5 : 5 + length], rest[5 + length :]
            assert len(content) == length
            messages.append((flag, content))
        return messages

    @property
    def the_message(self) -> bytes:
        ((flag, content),) = self.messages
        assert flag == 0
        return content


class Exchange:
    """One request and its reply, both under way. The request's parts come by themselves."""

    def __init__(self, parts: list[bytes], *, ends: bool = True) -> None:
        self._parts = list(parts) or [b""]
        self._ends = ends
        self._gone = asyncio.Event()
        self._last, self._complete = "", False
        self.reply = Reply()

    def go_away(self) -> None:
        """Disconnect the caller."""
        self._gone.set()

    async def receive(self) -> Event:
        if self._gone.is_set():
            return {"type": "http.disconnect"}
        if self._parts:
            body = self._parts.pop(0)
            return _part(body, more=bool(self._parts) or not self._ends)
        if self._ends:
            # The host does not wait for the caller to disconnect: it repeats that there is no more.
            return _part(b"", more=False)
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        if self._gone.is_set():
            raise HostedClientGoneError
        kind = event["type"]
        assert not self._complete, f"{kind} after the end"
        assert kind in _NEXT[self._last], f"{kind} after {self._last}"
        self._last = kind
        getattr(self, kind.replace(".", "_"))(event)
        await asyncio.sleep(0)

    def http_response_start(self, event: Event) -> None:
        self.reply.status = event["status"]
        self.reply.headers = list(event["headers"])
        self.reply.trailers = [] if event.get("trailers") else None

    def http_response_body(self, event: Event) -> None:
        self.reply.body += event["body"]
        self._complete = not event.get("more_body") and self.reply.trailers is None

    def http_response_trailers(self, event: Event) -> None:
        assert self.reply.trailers == []
        self.reply.trailers = list(event["headers"])
        self._complete = True

    @property
    def complete(self) -> bool:
        """Whether the reply has been sent to its end."""
        return self._complete


def _part(body: bytes, *, more: bool) -> Event:
    return {"type": "http.request", "body": body, "more_body": more}


@dataclass
class Hosted:
    """The server on scripted ports, and requests to it."""

    ports: ScriptedPorts
    server: AsgiServer

    async def ask(
        self,
        *parts: bytes,
        path: str = GET_CALL,
        verb: str = "POST",
        headers: Headers = HEADERS,
        more: Headers = [],  # noqa: B006 - only read
    ) -> Reply:
        """Send a request and return the whole reply."""
        exchange = Exchange(list(parts))
        async with asyncio.timeout(5) as limit:
            await self.answering(exchange, path, [*headers, *more], verb)
        assert not limit.expired()
        assert exchange.complete
        return exchange.reply

    def answering(
        self, exchange: Exchange, path: str = GET_CALL, headers: Headers = HEADERS, verb: str = "POST"
    ) -> Coroutine[Any, Any, None]:
        """Serve a request that may be aborted."""
        return self.server.handle(verb, path.encode(), headers, exchange.receive, exchange.send)


@asynccontextmanager
async def hosted(
    guard: Authenticator | None = None, max_requests: int = 2000, *, reflected: bool = True
) -> AsyncIterator[Hosted]:
    """Run the server while the block lasts."""
    ports = ScriptedPorts()
    admission = Admission(guard or AllowAll(), max_requests)
    server = AsgiServer(LiveCalls(GetCall(ports, ports), admission), reflected=reflected)
    yield Hosted(ports, server)
    await server.stop(0)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.001)
