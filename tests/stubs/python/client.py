"""Runs the cases on standard input by the stubs for Python, and writes an outcome a line."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from threading import Timer
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from livecalls.v1.live_calls_pb2 import Call, CallStatus, GetCallRequest, LiveStatus
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
    return {
        "id": call.id,
        "host_user_id": call.host_user_id,
        "title": call.title,
        "scheduled_at": time(call.scheduled_at) if call.HasField("scheduled_at") else None,
        "started_at": time(call.started_at) if call.HasField("started_at") else None,
        "ended_at": time(call.ended_at) if call.HasField("ended_at") else None,
        "stream_call_id": call.stream_call_id if call.HasField("stream_call_id") else None,
        "stream_call_type": call.stream_call_type,
        "recording_url": call.recording_url if call.HasField("recording_url") else None,
        "recording_ready_at": (
            time(call.recording_ready_at) if call.HasField("recording_ready_at") else None
        ),
        "status": CallStatus.Name(call.status) if call.status in CallStatus.values() else call.status,
        "created_at": time(call.created_at),
        "updated_at": time(call.updated_at),
        "live": seen_live(call.live) if call.HasField("live") else None,
    }


def seen_live(live: LiveStatus) -> dict[str, Any]:
    return {
        "is_live": live.is_live,
        "current_session_id": (live.current_session_id if live.HasField("current_session_id") else None),
        "ended_at": time(live.ended_at) if live.HasField("ended_at") else None,
    }


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


def time(moment: Timestamp) -> str:
    return f"{moment.ToDatetime().isoformat(timespec='microseconds')}Z"


main()
