"""What each client must see: cases.json, as requests to the clients and as expected outcomes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from livecalls.v1 import live_calls_pb2 as pb

_WRITTEN = json.loads((Path(__file__).parent / "cases.json").read_text())
_NULLS = {field.name: None for field in pb.Call.DESCRIPTOR.fields if field.has_presence}

CALLS: dict[str, dict[str, Any]] = {
    name: {**_NULLS, **written} for name, written in _WRITTEN["calls"].items()
}
"""Calls in the documented shape by their names, with the expected `live`; null if not written."""

AT_STREAM: dict[str, dict[str, str]] = _WRITTEN["at_stream"]
"""The states of the calls that Stream knows, and since when, by their ids there."""


@dataclass(frozen=True)
class Case:
    """A call of GetCall, and its expected outcome."""

    name: str
    expect: dict[str, Any]
    target: str = "service"
    id: str = CALLS["a call on air"]["id"]
    token: str | None = "good"  # noqa: S105 - a kind of token
    timeout_ms: int | None = 10_000
    cancel_after_ms: int | None = None

    def request(self, tokens: dict[str, str]) -> dict[str, Any]:
        """Return it for a client, without the expected outcome."""
        return {
            "name": self.name,
            "target": self.target,
            "id": self.id,
            "token": None if self.token is None else tokens[self.token],
            "timeout_ms": self.timeout_ms,
            "cancel_after_ms": self.cancel_after_ms,
        }

    def expected(self, outcome: dict[str, Any], own_code: str | None = None) -> dict[str, Any]:
        """Return the expected outcome; optional fields of an error are copied from the actual one.

        A client's library may have a code of its own for it.
        """
        if "error" in self.expect:
            said = outcome.get("error", {})
            error = {**said, **_in_the_library_s_words(self.expect["error"], said)}
            return {"name": self.name, "error": {**error, "code": own_code or error["code"]}}
        call = self.expect["call"]
        return {
            "name": self.name,
            "call": seen(CALLS[call]) if isinstance(call, str) else _printed(call),
        }


def all_cases() -> list[Case]:
    """Return a case for each call, and those that cases.json lists."""
    reads = [Case(name, {"call": name}, id=row["id"]) for name, row in CALLS.items()]
    return reads + [Case(**written) for written in _WRITTEN["cases"]]


def seen(row: dict[str, Any]) -> dict[str, Any]:
    """Convert a call from the documented shape to what clients print."""
    return _printed({**row, "status": f"CALL_STATUS_{row['status'].upper()}"})


def _printed(call: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null, and print times as protobuf's JSON does: with 0, 3 or 6 digits."""
    return {name: _value(name, value) for name, value in call.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _printed(value)
    return _shortest(value) if name.endswith("_at") else value


def _shortest(moment: str) -> str:
    timestamp = Timestamp()
    timestamp.FromJsonString(moment)
    return timestamp.ToJsonString()


def _in_the_library_s_words(error: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Let a library prefix a message that begins with …, as grpc-go does after retries."""
    end = error.get("message", "").removeprefix("…")
    if end != error.get("message") and said.get("message", "").endswith(end):
        return {**error, "message": said["message"]}
    return error
