"""How the requests that brought no status are reported in the log."""

import logging

from server.adapters.stream.errors import StreamFailedError
from server.adapters.stream.wire import StreamCall

log = logging.getLogger("server.stream")

TIMEOUT = "timeout"
"""The reason of a request that took too long, by the SDK's error or by our own."""


def reason_of(error: Exception) -> str:
    """Return what the log says of an error; nothing of its own text, which may quote anything."""
    if isinstance(error, StreamFailedError):
        return error.reason
    return TIMEOUT if isinstance(error, TimeoutError) else type(error).__name__


def log_no_response(level: int, call: StreamCall, reason: str) -> None:
    """Log why there is no status of a call."""
    about = {"stream_call_type": call[0], "stream_call_id": call[1], "reason": reason}
    log.log(level, "stream gave no response", extra=about)
