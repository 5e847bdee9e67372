"""The responses of the scripted server, by the id of the request."""

from collections import Counter

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo, RetryInfo
from livecalls.v1 import live_calls_pb2 as pb

from server.transport.errors import MalformedRequestError, TooBusyError, to_status
from tests.support.stand_ins.upstream import Context, Request, abort

ODD_MESSAGE = "Сначала 朝のヨガ 🧘, then 100 %\n"
_TRY_AGAIN = {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_RETRY_INFO = RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000))

# Errors of a good service too, but not on request.
_OUR_ERRORS = {
    "TOO_BUSY": TooBusyError(),
    "MALFORMED_REQUEST": MalformedRequestError("GetCallRequest"),
    "INTERNAL_FAULT": ZeroDivisionError(),
}

# Fields 90 to 93, of the four wire types that a message may hold.
_UNKNOWN_FIELDS = bytes.fromhex("d0 05 07  d9 05 0102030405060708  e2 05 03 e69c9d  ed 05 01020304")


class Script:
    """A server that fails on request, and the requests it got."""

    def __init__(self) -> None:
        self._attempts: Counter[str] = Counter()
        self._hanging: dict[str, Request] = {}

    def given_up(self, id_: str) -> bool:
        """Wait until a hanging request has ended for its caller; return whether it has."""
        return id_ in self._hanging and self._hanging[id_].given_up.wait(5)

    def answer(self, request: Request, context: Context) -> pb.Call:
        """Respond as scripted for the id, or end with the code of this name."""
        self._attempts[request.id] += 1
        attempt = self._attempts[request.id]
        match request.id:
            case "unavailable twice" if attempt <= 2:
                _fail(context, "UNAVAILABLE", attempt)
            case "unavailable twice":
                return _call(request.id, attempt)
            case "from next year":
                return _from_next_year(_call(request.id, attempt))
            case "no details":
                abort(context, grpc.StatusCode.FAILED_PRECONDITION, ODD_MESSAGE)
            case reason if reason in _OUR_ERRORS:
                _end_as_the_service_does(context, _OUR_ERRORS[reason])
            case hanging if hanging.startswith("hangs"):
                self._hanging[hanging] = request
                request.given_up.wait()
                return pb.Call()
            case code:
                _fail(context, code, attempt)
        raise AssertionError("all are answered")


def _fail(context: Context, code: str, attempt: int) -> None:
    # Not the only detail, nor the first.
    details: list[Message] = [
        RequestInfo(request_id="7"),
        ErrorInfo(reason=f"SAID_{code}", domain="livecalls.v1"),
    ]
    if code in _TRY_AGAIN:
        details.append(_RETRY_INFO)
    abort(context, grpc.StatusCode[code], f"Attempt {attempt}.", tuple(details))


def _end_as_the_service_does(context: Context, error: Exception) -> None:
    status = to_status(error, "7")
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(_CODES[status.code], status.message)


def _call(id_: str, attempt: int) -> pb.Call:
    created_at = Timestamp()
    created_at.FromJsonString("2026-11-16T21:49:22Z")
    return pb.Call(
        id=id_,
        host_user_id="coach-7",
        title=f"Attempt {attempt}.",
        stream_call_type="livestream",
        status=pb.CALL_STATUS_SCHEDULED,
        created_at=created_at,
        updated_at=created_at,
    )


def _from_next_year(call: pb.Call) -> pb.Call:
    """Write a status and fields, in both messages, that no stub of today knows."""
    live = pb.LiveStatus.FromString(pb.LiveStatus(is_live=True).SerializeToString() + _UNKNOWN_FIELDS)
    newer = pb.Call.FromString(call.SerializeToString() + b"\x58\x09" + _UNKNOWN_FIELDS)
    newer.live.CopyFrom(live)
    return newer
