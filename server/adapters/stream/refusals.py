"""Reads Stream's error responses: their statuses and their envelope."""

import json
from http import HTTPStatus

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamEndpointNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRequestRejectedError,
)

_NOT_FOUND = 16
# Stream's edge returns 404 with code 16 as well, if the address leads to no endpoint of its API.
_OF_GET_CALL = "GetCall failed with error:"


def read_refusal(status: int, body: bytes) -> StreamError:
    """Read a response whose status is no success; of the envelope only the code and the message.

    An unknown call type is a missing call too: GetCall's handler reports both.
    """
    code, message = _read_envelope(body)
    if status == HTTPStatus.NOT_FOUND:
        is_of_handler = code == _NOT_FOUND and message.startswith(_OF_GET_CALL)
        return StreamCallNotFoundError() if is_of_handler else StreamEndpointNotFoundError()
    if status == HTTPStatus.BAD_REQUEST and code:
        return StreamRequestRejectedError()
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return StreamFailedError(f"redirected with status {status}")
    return StreamFailedError(f"status {status}")


def _read_envelope(body: bytes) -> tuple[int, str]:
    """Read the code and the message, 0 and empty if there is none."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return 0, ""
    if not isinstance(envelope, dict):
        return 0, ""
    code, message = envelope.get("code"), envelope.get("message")
    return code if isinstance(code, int) else 0, message if isinstance(message, str) else ""
