"""How the requests that brought no status are reported in the log."""

import logging

from server.adapters.stream.errors import StreamFailedError, StreamRequestRejectedError
from server.adapters.stream.metrics import NullReason
from server.adapters.stream.wire import StreamCall

log = logging.getLogger("server.stream")

_TIMEOUT = "timeout"
"""The reason of a request that took too long, by the SDK's error or by our own."""


def reason_of(error: Exception) -> str:
    """Return what the log says of an error; nothing of its own text, which may quote anything."""
    if isinstance(error, StreamFailedError):
        return error.reason
    if isinstance(error, StreamRequestRejectedError):
        return "request rejected"
    return _TIMEOUT if isinstance(error, TimeoutError) else type(error).__name__


def null_reason_of(error: Exception) -> NullReason:
    """Return why there is no status, of the reasons that are counted."""
    if isinstance(error, StreamRequestRejectedError):
        return NullReason.REJECTED
    return NullReason.TIMEOUT if reason_of(error) == _TIMEOUT else NullReason.FAILED


def log_no_response(level: int, call: StreamCall, reason: str) -> None:
    """Log why there is no status of a call."""
    about = {"stream_call_type": call[0], "stream_call_id": call[1], "reason": reason}
    log.log(level, "stream gave no response", extra=about)
