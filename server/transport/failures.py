"""How a failed call ends, whichever server carries it: its status, and its other trailers."""

import logging
from typing import NamedTuple

from google.rpc import code_pb2

from server.application.errors import LiveCallsError
from server.transport.call_context import REQUEST_ID_KEY
from server.transport.errors import challenge, to_status

_DETAILS_KEY = "grpc-status-details-bin"
_CHALLENGE_KEY = "www-authenticate"

log = logging.getLogger("server.requests")


class Failure(NamedTuple):
    """A google.rpc.Code that is not OK, a message, and trailing metadata."""

    code: int
    message: str
    trailers: tuple[tuple[str, str | bytes], ...]


def failure_of(error: Exception, request_id: str) -> Failure:
    """Convert a method's exception to a failure, and log it if it is a bug."""
    status = to_status(error, request_id)
    if status.code == code_pb2.INTERNAL and not isinstance(error, LiveCallsError):
        log.error("internal error", exc_info=error)
    trailers = [(REQUEST_ID_KEY, request_id), (_DETAILS_KEY, status.SerializeToString())]
    challenged = challenge(error)
    if challenged:
        trailers.append((_CHALLENGE_KEY, challenged))
    return Failure(status.code, status.message, tuple(trailers))


def code_of_cancelled(time_left: float) -> int:
    """Return the google.rpc.Code of a cancelled method: its deadline passed, or its caller has gone."""
    return int(code_pb2.CANCELLED if time_left > 0 else code_pb2.DEADLINE_EXCEEDED)
