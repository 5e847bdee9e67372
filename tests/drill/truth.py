"""What is known about the calls: their rows, and what Stream says about each."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from livecalls.v1 import live_calls_pb2 as pb

from demo.stream_stand_in.stand_in import KnownCall, State, StreamStandIn
from server.application.call import Call, CallStatus, LiveStatus
from tests.drill.accounting import Answer, Outcome
from tests.support.data.calls import FULL_CALL, PLAIN_CALL, numbered_id

_TYPE = "livestream"
_STATES = (State.ON_AIR, State.BACKSTAGE, State.ENDED, State.ON_AIR_AGAIN, State.NOT_STARTED)
_EPOCH = datetime.fromtimestamp(0, UTC)
_COUNT = 40


class Truth:
    """Forty calls, all but one of ten known to Stream, in every state that it has."""

    def __init__(self) -> None:
        self.rows = [_row(number) for number in range(_COUNT)]
        self._live: dict[str, LiveStatus | None] = dict.fromkeys(row.id for row in self.rows)
        self._messages = {row.id: _message(row) for row in self.rows}
        self._json = {row.id: _json(row) for row in self.rows}

    def teach(self, stand_in: StreamStandIn) -> None:
        """Make the calls known to a stand-in."""
        for number, row in enumerate(self.rows):
            if row.stream_call_id:
                state = _STATES[number % len(_STATES)]
                self._live[row.id] = _live(stand_in.put(_TYPE, row.stream_call_id, state))

    def expected(self, call_id: str) -> dict[str, Any]:
        """Return a row as REST shows it, without `live`."""
        return self._json[call_id]

    def check_message(self, call_id: str, reply: pb.Call) -> Answer:
        """Compare an answer by gRPC."""
        live = None
        if reply.HasField("live"):
            live = LiveStatus(
                reply.live.is_live,
                reply.live.current_session_id if reply.live.HasField("current_session_id") else None,
                reply.live.ended_at.ToDatetime(UTC) if reply.live.HasField("ended_at") else None,
            )
            reply.ClearField("live")
        if reply != self._messages[call_id]:
            return Answer(Outcome.OK, f"another row than {call_id}'s: {reply}")
        return self._check_live(call_id, live)

    def check_json(self, call_id: str, body: bytes) -> Answer:
        """Compare an answer by REST."""
        reply = json.loads(body)
        live = reply.pop("live")
        if reply != self.expected(call_id):
            return Answer(Outcome.OK, f"another row than {call_id}'s: {reply}")
        return self._check_live(call_id, live and _read_live(live))

    def _check_live(self, call_id: str, live: LiveStatus | None) -> Answer:
        known = self._live[call_id]
        if live == known:
            return Answer(Outcome.OK)
        if live is None:
            return Answer(Outcome.LIVE_UNKNOWN)
        return Answer(Outcome.OK, f"live of {call_id} is {live}, and not {known}")


def _row(number: int) -> Call:
    call = replace(FULL_CALL if number % 2 else PLAIN_CALL, id=numbered_id(number + 1))
    statuses = list(CallStatus)
    stream_id = None if number % 10 == 0 else f"call-{number}"
    return replace(
        call,
        title=f"Class {number}",
        status=statuses[number % len(statuses)],
        stream_call_id=stream_id,
        stream_call_type=_TYPE,
    )


def _live(known: KnownCall) -> LiveStatus:
    """Say what the stand-in's call means, in the words of the API's documents."""
    ended_ns = {State.ENDED: known.since_ns, State.ON_AIR_AGAIN: known.since_ns - 3600 * 10**9}
    at = ended_ns.get(known.state)
    return LiveStatus(
        is_live=known.state in {State.ON_AIR, State.ON_AIR_AGAIN},
        current_session_id=known.session_id or None,
        ended_at=None if at is None else _EPOCH + timedelta(microseconds=at // 1000),
    )


def _read_live(live: dict[str, Any]) -> LiveStatus:
    ended = live["ended_at"]
    return LiveStatus(
        live["is_live"], live["current_session_id"], ended and datetime.fromisoformat(ended)
    )


def _message(row: Call) -> pb.Call:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    values["status"] = f"CALL_STATUS_{row.status.name}"
    return pb.Call(**{name: _to_proto(value) for name, value in values.items() if value is not None})


def _to_proto(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    timestamp = Timestamp()
    timestamp.FromDatetime(value)
    return timestamp


def _json(row: Call) -> dict[str, Any]:
    return {field.name: _to_json(getattr(row, field.name)) for field in fields(row)}


def _to_json(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return f"{value:%Y-%m-%dT%H:%M:%S}{f'.{value.microsecond:06}' if value.microsecond else ''}Z"
