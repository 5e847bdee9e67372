"""What Stream says about a call on air, with changes, and how it is read."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from server.adapters.stream import wire
from server.adapters.stream.errors import UnusableResponseError
from server.application.call import LiveStatus

MOMENT_NS = 1724326457711546789
MOMENT = datetime(2024, 8, 22, 11, 34, 17, 711546, tzinfo=UTC)

ON_AIR = {
    "call": {
        "id": "of no interest",
        "cid": "livestream:call",
        "backstage": False,
        "ended_at": None,
        "current_session_id": "session-1",
        "session": {"live_started_at": MOMENT_NS, "live_ended_at": None, "ended_at": None},
    },
    "duration": "1ms",
}
REQUIRED = ["call", "call.backstage", "call.current_session_id"]
OPTIONAL = [
    "call.ended_at",
    "call.session",
    "call.session.live_started_at",
    "call.session.live_ended_at",
    "call.session.ended_at",
]
FIELDS = [*REQUIRED, *OPTIONAL, "call.cid"]


def read_live_status(answer: object) -> LiveStatus:
    """Read GetCall's response; an item of QueryCalls' that is decoded already says the same."""
    body = json.dumps(answer).encode()
    decoded = outcome(lambda: wire.read_live_status(json.loads(body), "livestream", "call"))
    status = outcome(lambda: wire.read_get_call(body, "livestream", "call"))
    assert repr(status) == repr(decoded)
    if isinstance(status, Exception):
        raise status
    return status


def outcome(read: Callable[[], LiveStatus]) -> LiveStatus | UnusableResponseError:
    try:
        return read()
    except UnusableResponseError as error:
        return error


def changed(field: str, value: Any) -> dict[str, Any]:
    answer: dict[str, Any] = deepcopy(ON_AIR)
    *parents, last = field.split(".")
    part = answer
    for name in parents:
        part = part[name]
    part[last] = value
    return answer


def without(field: str) -> dict[str, Any]:
    answer = changed(field, None)
    *parents, last = field.split(".")
    part = answer
    for name in parents:
        part = part[name]
    del part[last]
    return answer
