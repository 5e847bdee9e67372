"""What each client must see: cases.json, as the clients are asked and as they are judged."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_WRITTEN = json.loads((Path(__file__).parent / "cases.json").read_text())

CALLS: dict[str, dict[str, Any]] = _WRITTEN["calls"]
"""Calls in the documented shape by what they are, with what is to be said of `live`."""

AT_STREAM: dict[str, dict[str, str]] = _WRITTEN["at_stream"]
"""By their ids at Stream, the states of those that it knows, and since when."""


@dataclass(frozen=True)
class Case:
    """A call of GetCall, and what must become of it."""

    name: str
    expect: dict[str, Any]
    target: str = "service"
    id: str = CALLS["a call on air"]["id"]
    token: str | None = "good"  # noqa: S105 - a kind of token
    timeout_ms: int | None = 10_000
    cancel_after_ms: int | None = None

    def request(self, tokens: dict[str, str]) -> dict[str, Any]:
        """Write it for a client, whose outcome it leaves out."""
        return {
            "name": self.name,
            "target": self.target,
            "id": self.id,
            "token": None if self.token is None else tokens[self.token],
            "timeout_ms": self.timeout_ms,
            "cancel_after_ms": self.cancel_after_ms,
        }

    def expected(self, outcome: dict[str, Any], own_code: str | None = None) -> dict[str, Any]:
        """Write what the outcome must be; what an error need not say stands there as it is said.

        A client's library may have a code of its own for it.
        """
        if "error" in self.expect:
            said = outcome.get("error", {})
            error = {**said, **_in_the_library_s_words(self.expect["error"], said)}
            return {"name": self.name, "error": {**error, "code": own_code or error["code"]}}
        call = self.expect["call"]
        return {"name": self.name, "call": seen(CALLS[call]) if isinstance(call, str) else call}


def all_cases() -> list[Case]:
    """Have a case for each call, and those that cases.json writes out."""
    reads = [Case(name, {"call": name}, id=row["id"]) for name, row in CALLS.items()]
    return reads + [Case(**written) for written in _WRITTEN["cases"]]


def seen(row: dict[str, Any]) -> dict[str, Any]:
    """Say a call in the documented shape as clients say what the stubs read."""
    said = {**_with_six_digits(row), "status": f"CALL_STATUS_{row['status'].upper()}"}
    return {**said, "live": row["live"] and _with_six_digits(row["live"])}


def _in_the_library_s_words(error: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Let a message that begins with … stand behind a library's words, as grpc-go's after retries."""
    end = error.get("message", "").removeprefix("…")
    if end != error.get("message") and said.get("message", "").endswith(end):
        return {**error, "message": said["message"]}
    return error


def _with_six_digits(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _six_digits(value) if value and name.endswith("_at") else value
        for name, value in values.items()
    }


def _six_digits(moment: str) -> str:
    return datetime.fromisoformat(moment).isoformat(timespec="microseconds").replace("+00:00", "Z")
