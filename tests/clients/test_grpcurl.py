"""grpcurl, which knows the service only from what it describes of itself."""

import json

import pytest

from tests.clients.programs import GRPCURL, Ran
from tests.support.data.calls import CALL_ID, PLAIN_CALL, new_id

GET_CALL = "livecalls.v1.LiveCalls/GetCall"
# grpcurl adds 64 to gRPC's code.
NOT_FOUND, UNAUTHENTICATED = 64 + 5, 64 + 16


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    GRPCURL.build()


def describe(address: str, symbol: str) -> str:
    described = GRPCURL("-plaintext", address, "describe", symbol)
    assert described.returncode == 0, described.stderr
    return described.stdout


def get_call(address: str, call_id: str, token: str | None = None) -> Ran:
    shown = ["-H", f"authorization: Bearer {token}"] if token else []
    return GRPCURL("-plaintext", *shown, "-d", json.dumps({"id": call_id}), address, GET_CALL)


def test_it_lists_the_service_and_its_methods(address: str) -> None:
    assert "livecalls.v1.LiveCalls" in GRPCURL("-plaintext", address, "list").stdout.splitlines()
    methods = GRPCURL("-plaintext", address, "list", "livecalls.v1.LiveCalls")
    assert methods.stdout.splitlines() == ["livecalls.v1.LiveCalls.GetCall"], methods.stderr


def test_it_describes_the_method(address: str) -> None:
    described = describe(address, "livecalls.v1.LiveCalls.GetCall")
    assert "rpc GetCall ( .livecalls.v1.GetCallRequest ) returns ( .livecalls.v1.Call )" in described


@pytest.mark.parametrize(
    ("symbol", "shown"),
    [
        ("livecalls.v1.LiveCalls", "service LiveCalls {"),
        ("livecalls.v1.Call", "string host_user_id = 2;"),
        ("livecalls.v1.Call.host_user_id", "livecalls.v1.Call.host_user_id is a field:"),
        ("livecalls.v1.CallStatus", "CALL_STATUS_LIVE = 2;"),
        ("google.protobuf.Timestamp", "int64 seconds = 1;"),
    ],
)
def test_it_describes_everything_else(address: str, symbol: str, shown: str) -> None:
    assert shown in describe(address, symbol)


def test_it_gets_a_call_with_a_token(address: str, token: str) -> None:
    got = get_call(address, CALL_ID, token)
    assert got.returncode == 0, got.stderr
    call = json.loads(got.stdout)
    assert (call["id"], call["title"]) == (CALL_ID, PLAIN_CALL.title)


def test_it_shows_why_there_is_no_call(address: str, token: str) -> None:
    refused = get_call(address, new_id(), token)
    assert refused.returncode == NOT_FOUND
    assert "Message: No call has this id." in refused.stderr
    assert '"@type": "type.googleapis.com/google.rpc.ErrorInfo"' in refused.stderr
    assert '"reason": "CALL_NOT_FOUND"' in refused.stderr


def test_it_is_refused_without_a_token(address: str) -> None:
    refused = get_call(address, CALL_ID)
    assert refused.returncode == UNAUTHENTICATED
    assert "Message: An access token is required." in refused.stderr
