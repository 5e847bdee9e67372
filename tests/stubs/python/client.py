"""Runs the cases on standard input by the stubs for Python, and writes an outcome a line."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from livecalls.v1.live_calls_pb2 import Call, GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": "livecalls.v1.LiveCalls"}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


def main() -> None:
    errand = json.load(sys.stdin)
    with ExitStack() as channels:
        stubs = {
            name: LiveCallsStub(channels.enter_context(channel(**target)))
            for name, target in errand["targets"].items()
        }
        for case in errand["cases"]:
            seen = outcome(stubs[case["target"]], case)
            sys.stdout.write(json.dumps({"name": case["name"], **seen}) + "\n")


def channel(address: str, ca: str | None) -> grpc.Channel:
    options = [("grpc.service_config", json.dumps(SERVICE_CONFIG))]
    if ca is None:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(Path(ca).read_bytes()), options)


def outcome(stub: LiveCallsStub, case: dict[str, Any]) -> dict[str, Any]:
    token, timeout, cancel_after = case["token"], case["timeout_ms"], case["cancel_after_ms"]
    answer = stub.GetCall.future(
        GetCallRequest(id=case["id"]),
        timeout=None if timeout is None else timeout / 1000,
        metadata=() if token is None else (("authorization", f"Bearer {token}"),),
    )
    if cancel_after is not None:
        Timer(cancel_after / 1000, answer.cancel).start()
    try:
        return {"call": seen_call(answer.result())}
    except (grpc.RpcError, grpc.FutureCancelledError):
        return {"error": seen_error(answer)}


def seen_call(call: Call) -> dict[str, Any]:
    return MessageToDict(
        call, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def seen_error(error: grpc.Call) -> dict[str, Any]:
    info, retry = ErrorInfo(), RetryInfo()
    details = (rpc_status.from_call(error) or Status()).details
    has_info = any(detail.Unpack(info) for detail in details)
    has_retry = any(detail.Unpack(retry) for detail in details)
    return {
        "code": error.code().name,
        "message": error.details(),
        "reason": info.reason if has_info else None,
        "domain": info.domain if has_info else None,
        "retry_ms": retry.retry_delay.ToMilliseconds() if has_retry else None,
    }


main()
