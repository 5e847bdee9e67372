"""Turns exceptions into gRPC statuses; the only place that does."""

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.code_pb2 import INTERNAL, INVALID_ARGUMENT, NOT_FOUND, UNAVAILABLE
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from server.application.errors import (
    CallNotFoundError,
    IdRequiredError,
    LiveCallsError,
    StoreUnavailableError,
)

DOMAIN = "livecalls.v1"


class MalformedRequestError(LiveCallsError):
    """The request's bytes are no protobuf message."""

    def __init__(self) -> None:
        super().__init__("The request is not a GetCallRequest message.")


_OUTCOMES: dict[type[Exception], tuple[int, str]] = {
    IdRequiredError: (INVALID_ARGUMENT, "ID_REQUIRED"),
    MalformedRequestError: (INVALID_ARGUMENT, "MALFORMED_REQUEST"),
    CallNotFoundError: (NOT_FOUND, "CALL_NOT_FOUND"),
    StoreUnavailableError: (UNAVAILABLE, "STORE_UNAVAILABLE"),
}
_RETRY_AFTER = RetryInfo(retry_delay=Duration(seconds=1))


def to_status(error: Exception, request_id: str) -> Status:
    """Say an exception as a caller may read it: nothing of a bug but the request's id."""
    code, reason = _OUTCOMES.get(type(error), (INTERNAL, "INTERNAL_FAULT"))
    message = "The server failed to answer." if code == INTERNAL else str(error)
    details: list[Message] = [ErrorInfo(reason=reason, domain=DOMAIN)]
    if code == UNAVAILABLE:
        details.append(_RETRY_AFTER)
    if code == INTERNAL:
        details.append(RequestInfo(request_id=request_id))
    return Status(code=code, message=message, details=[_packed(detail) for detail in details])


def _packed(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
