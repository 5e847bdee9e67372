"""Requests a call by each API of the service, with any Authorization headers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from tests.support.callers.rest import Reply, send_raw
from tests.support.data.calls import CALL_ID
from tests.support.server.stack import Stack

FACES = ("gRPC", "gRPC through Envoy", "REST")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request, in a form that all APIs share."""

    word: str
    """`ok`, or a gRPC code in lower case."""
    message: str | None = None
    challenge: str | None = None


ADMITTED = Outcome("ok")
TOKEN_REQUIRED = Outcome("unauthenticated", "An access token is required.", 'Bearer realm="livecalls"')
TOKEN_INVALID = Outcome(
    "unauthenticated",
    "The access token is not valid.",
    'Bearer realm="livecalls", error="invalid_token"',
)
KEYS_UNAVAILABLE = Outcome(
    "unavailable", "Access tokens cannot be checked right now. Try again shortly."
)
INTROSPECTION_UNAVAILABLE = KEYS_UNAVAILABLE
"""The same to callers; only the reason in the details differs."""

Face = Callable[[Sequence[str]], Outcome]
RunStack = Callable[..., AbstractContextManager[tuple[Stack, dict[str, Face]]]]
"""Runs the service with settings, and yields its APIs by their names."""


@contextmanager
def faces_of(stack: Stack) -> Iterator[dict[str, Face]]:
    """Yield the APIs by their names, for the one call that is stored."""
    straight, through = (grpc.insecure_channel(address) for address in stack.grpc_addresses)
    with straight, through:
        yield {
            "gRPC": lambda shown: _ask_grpc(straight, shown),
            "gRPC through Envoy": lambda shown: _ask_grpc(through, shown),
            "REST": lambda shown: outcome_of(ask_rest(stack.gateway.url, shown)),
        }


def ask_rest(
    url: str, shown: Sequence[str | bytes], path: str = f"/v1/live/calls/{CALL_ID}", **headers: str
) -> Reply:
    """Send a request by HTTP/1.1 with Authorization headers of any bytes, and others."""
    lines = [f"GET {path} HTTP/1.1".encode(), b"host: a", b"connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()]
    lines += [b"authorization: " + _bytes(value) for value in shown]
    return send_raw(url, b"\r\n".join([*lines, b"", b""]))


def outcome_of(reply: Reply) -> Outcome:
    """Convert a REST reply to the form that all APIs share."""
    if reply.status == 200:
        return ADMITTED
    body = reply.json()
    return Outcome(body["error"], body["message"], reply.header("www-authenticate"))


def _ask_grpc(channel: grpc.Channel, shown: Sequence[str]) -> Outcome:
    metadata = tuple(("authorization", value) for value in shown)
    try:
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=str(CALL_ID)), metadata=metadata)
    except grpc.RpcError as error:
        challenges = [str(m.value) for m in error.trailing_metadata() if m.key == "www-authenticate"]
        assert len(challenges) <= 1
        return Outcome(error.code().name.lower(), error.details(), "".join(challenges) or None)
    return ADMITTED


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
