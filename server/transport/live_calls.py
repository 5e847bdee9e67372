"""The LiveCalls service: decodes a request, calls the use case of its name, encodes the response."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError, Message
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import Call, CallState, CallStatus, LiveStatus
from server.application.errors import CallNotFoundError, LiveCallsError
from server.application.get_call import GetCall
from server.resilience.bounded_cache import bounded_lru_cache
from server.transport.admission import Admission, Method
from server.transport.call_context import CallContext
from server.transport.encoder import compile_encoder
from server.transport.errors import MalformedRequestError

MAX_CACHED_MESSAGES = 2000
"""Calls whose messages are cached, some 400 bytes each."""

MAX_MESSAGE_BYTES = 4096
"""Bytes of a message that is cached: 8 MiB of all, and some four times as much of calls."""

SERVICE = pb.DESCRIPTOR.services_by_name["LiveCalls"].full_name

_STATUSES = {
    CallStatus.SCHEDULED: pb.CALL_STATUS_SCHEDULED,
    CallStatus.LIVE: pb.CALL_STATUS_LIVE,
    CallStatus.ENDED: pb.CALL_STATUS_ENDED,
    CallStatus.ERRORED: pb.CALL_STATUS_ERRORED,
}
_bytes_of: Callable[[bytes], int] = len

Request = TypeVar("Request", bound=Message)

encode_call = compile_encoder(Call, pb.Call, status=_STATUSES)
"""Convert a call to the contract's message; `live` is unset."""

encode_live_status = compile_encoder(LiveStatus, pb.LiveStatus)
"""Convert a live status to the contract's message."""


class LiveCalls:
    """The methods of the service, from request bytes to response bytes."""

    def __init__(self, get_call: GetCall, admission: Admission) -> None:
        self._get_call = get_call
        self._admission = admission

    @property
    def methods(self) -> Mapping[str, Method]:
        """The methods by their names in the contract; callers pass the admission first."""
        methods = {"GetCall": self.get_call}
        return {name: self._admission.before(method) for name, method in methods.items()}

    async def get_call(self, request: bytes, context: CallContext) -> bytes:
        """Serve LiveCalls.GetCall; raises the errors of the use case and MalformedRequestError."""
        # An id that is not UTF-8, as %FF in a path is, names no call, like any odd id.
        call_id = decode(pb.GetCallRequest, request, not_utf8=CallNotFoundError).id
        state = await self._get_call.execute(call_id, context.time_left)
        return encode_state(state)


def decode(kind: type[Request], request: bytes, *, not_utf8: type[LiveCallsError]) -> Request:
    """Decode a request; raises MalformedRequestError, and `not_utf8` if a text in it is not UTF-8."""
    try:
        return kind.FromString(request)
    except DecodeError:
        if _is_protobuf(request):
            raise not_utf8 from None
        raise MalformedRequestError(kind.DESCRIPTOR.name) from None


def _is_protobuf(data: bytes) -> bool:
    try:
        Empty.FromString(data)
    except DecodeError:
        return False
    return True


def encode_state(state: CallState) -> bytes:
    """Write the message Call: its fields but `live`, and behind them `live`.

    Concatenated messages are parsed as one, so each part is encoded once for many responses.
    """
    if state.live is None:
        return _encode_call(state.call)
    return _encode_call(state.call) + _encode_live(state.live)


@bounded_lru_cache(MAX_CACHED_MESSAGES, MAX_MESSAGE_BYTES, _bytes_of)
def _encode_call(call: Call) -> bytes:
    return encode_call(call).SerializeToString()


@bounded_lru_cache(MAX_CACHED_MESSAGES, MAX_MESSAGE_BYTES, _bytes_of)
def _encode_live(live: LiveStatus) -> bytes:
    return pb.Call(live=encode_live_status(live)).SerializeToString()
