import json

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamEndpointNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRequestRejectedError,
)
from server.adapters.stream.refusals import read_refusal

NO_CALL = 'GetCall failed with error: "Can\'t find call with id livestream:call"'
NO_TYPE = 'GetCall failed with error: "bananas: call type does not exist"'


def envelope(**fields: object) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("message", [NO_CALL, NO_TYPE])
def test_what_getcall_does_not_find_is_a_missing_call(message: str) -> None:
    refusal = read_refusal(404, envelope(code=16, message=message, StatusCode=404))
    assert type(refusal) is StreamCallNotFoundError


@pytest.mark.parametrize(
    "body",
    [
        envelope(code=16, message="Not Found"),
        envelope(code=16, message=f"url not found, {NO_CALL}"),
        envelope(code=16, message=None),
        envelope(code=16),
        envelope(code=4, message=NO_CALL),
        envelope(message=NO_CALL),
        b"[]",
        b"<html>Not found</html>",
        b"",
    ],
)
def test_any_other_404_is_of_an_address_that_is_not_stream_s(body: bytes) -> None:
    refusal = read_refusal(404, body)
    assert type(refusal) is StreamEndpointNotFoundError
    assert refusal.reason == "no such endpoint (status 404): is STREAM_BASE_URL right?"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, envelope(code=4, message="no id"), StreamRequestRejectedError()),
        (400, envelope(message="no id"), StreamFailedError("status 400")),
        (401, envelope(code=5, message="no token"), StreamFailedError("status 401")),
        (500, envelope(code=-1), StreamFailedError("status 500")),
        (500, envelope(code="x" * 10, message=[]), StreamFailedError("status 500")),
        (502, b"\xff\xfe", StreamFailedError("status 502")),
        (502, b"[" * 60_000, StreamFailedError("status 502")),
        (502, b"1" * 5000, StreamFailedError("status 502")),
        (308, b"", StreamFailedError("redirected with status 308")),
    ],
)
def test_an_envelope_may_lack_anything(status: int, body: bytes, expected: StreamError) -> None:
    refusal = read_refusal(status, body)
    assert (type(refusal), str(refusal)) == (type(expected), str(expected))
