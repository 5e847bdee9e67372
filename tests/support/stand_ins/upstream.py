"""A small real gRPC server that a test scripts, also in ways the service never responds."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb

SERVICE = "livecalls.v1.LiveCalls"
CHALLENGE = ("www-authenticate", 'Bearer realm="livecalls"')


@dataclass
class Request:
    """What reached the upstream: the bytes of the GetCallRequest, and its metadata."""

    message: bytes
    metadata: Mapping[str, str | bytes]
    time_left: float
    """The seconds until the caller's deadline; beyond all measure if it set none."""
    given_up: Event = field(default_factory=Event)
    """Set when the call is over for its caller: complete, cancelled, or past its deadline."""

    @property
    def id(self) -> str:
        return pb.GetCallRequest.FromString(self.message).id


Context = grpc.ServicerContext
Answer = Callable[[Request, Context], pb.Call]


class Upstream:
    """LiveCalls on a port of its own, scripted."""

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.port = 0
        self.credentials = credentials
        self.requests: list[Request] = []
        self._answer: Answer = _no_such_call
        self._health = health.HealthServicer()
        self.says_it_serves()
        self.start()

    def start(self) -> None:
        """Listen, on the same port every time."""
        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        behaviour: grpc.RpcMethodHandler[bytes, pb.Call] = grpc.unary_unary_rpc_method_handler(
            self._get_call, response_serializer=pb.Call.SerializeToString
        )
        handler = grpc.method_handlers_generic_handler(SERVICE, {"GetCall": behaviour})
        self._server.add_generic_rpc_handlers((handler,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self.port = self._listen(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """End at once, calls under way too."""
        self._server.stop(None).wait()

    def reset(self) -> None:
        """Forget the script and the requests."""
        self.requests.clear()
        self._answer = _no_such_call
        self.says_it_serves()

    def says_it_serves(self, *, serves: bool = True) -> None:
        """Set its health to SERVING, or not; it responds all the same."""
        statuses = health_pb2.HealthCheckResponse
        self._health.set(SERVICE, statuses.SERVING if serves else statuses.NOT_SERVING)

    def runs(self, answer: Answer) -> None:
        """Run the function for every request."""
        self._answer = answer

    def answers(self, call: pb.Call) -> None:
        """Respond with the call."""
        self.runs(lambda _request, _context: call)

    def serves(self, calls: Mapping[str, pb.Call], *, to: str | None = None) -> None:
        """Respond with the call of the id, NOT_FOUND if there is none; or to one token alone."""

        def answer(request: Request, context: Context) -> pb.Call:
            if to is not None and request.metadata.get("authorization") != f"Bearer {to}":
                abort(context, grpc.StatusCode.UNAUTHENTICATED, "So it is.", trailers=(CHALLENGE,))
            return calls.get(request.id) or _no_such_call(request, context)

        self.runs(answer)

    def fails(
        self,
        code: grpc.StatusCode,
        message: str,
        *details: Message,
        trailers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Fail with the status, like a server that sends google.rpc details."""
        self.runs(lambda _, context: abort(context, code, message, details, trailers))

    def hangs(self) -> None:
        """Never respond; end only when the caller has given up."""

        def hang(request: Request, context: Context) -> pb.Call:
            request.given_up.wait()
            return _no_such_call(request, context)

        self.runs(hang)

    def _listen(self, address: str) -> int:
        if self.credentials:
            return self._server.add_secure_port(address, self.credentials)
        return self._server.add_insecure_port(address)

    def _get_call(self, message: bytes, context: Context) -> pb.Call:
        request = Request(message, dict(context.invocation_metadata()), context.time_remaining())
        self.requests.append(request)
        if not context.add_callback(request.given_up.set):
            request.given_up.set()  # before it had a thread
        return self._answer(request, context)


def abort(
    context: Context,
    code: grpc.StatusCode,
    message: str,
    details: tuple[Message, ...] = (),
    trailers: tuple[tuple[str, str], ...] = (),
) -> NoReturn:
    """Fail a call with a status and, if there are any, google.rpc details."""
    status = Status(code=code.value[0], message=message, details=[_packed(d) for d in details])
    packed = (("grpc-status-details-bin", status.SerializeToString()),) if details else ()
    context.set_trailing_metadata((*trailers, *packed))
    context.abort(code, message)
    raise AssertionError("abort() raises")


@contextmanager
def upstream_running(credentials: grpc.ServerCredentials | None = None) -> Iterator[Upstream]:
    """Run an upstream while the block lasts, by TLS if it has credentials."""
    upstream = Upstream(credentials)
    try:
        yield upstream
    finally:
        upstream.stop()


def _no_such_call(_request: Request, context: Context) -> NoReturn:
    abort(context, grpc.StatusCode.NOT_FOUND, "No call has this id.")


def _packed(detail: Message) -> Any:
    packed = AnyMessage()
    packed.Pack(detail)
    return packed
