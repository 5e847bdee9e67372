import json
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.callers.rest import ask
from tests.support.data.documented import FIELDS, NULLABLE, TIMESTAMPS
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream

PATH = "/v1/live/calls/any"
WORDS = {1: "scheduled", 2: "live", 3: "ended", 4: "errored"}

# What a gateway without a JSON parser could trip over.
TRAPS = st.sampled_from(
    ['"', "\\", '\\"', "{", "}", ",", ":", "null", '","', ',"live":{', '"scheduled_at":', "CALL_STATUS_"]
)
TEXTS = st.lists(TRAPS | st.text(max_size=10)).map("".join)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
LIVE = st.builds(
    pb.LiveStatus,
    is_live=st.booleans(),
    current_session_id=st.none() | TEXTS,
    ended_at=st.none() | TIMES,
)
STATUSES = st.sampled_from(list(pb.CallStatus.values())[1:])


def any_value(name: str) -> st.SearchStrategy[Any]:
    """Make any value of a call's field."""
    values = TIMES if name in TIMESTAMPS else STATUSES if name == "status" else TEXTS
    return st.none() | values if name in NULLABLE else values


CALLS = st.builds(pb.Call, live=st.none() | LIVE, **{name: any_value(name) for name in FIELDS})
MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
BARE = pb.Call(status=pb.CALL_STATUS_SCHEDULED, created_at=MOMENT, updated_at=MOMENT)
LIVE_FIRST = pb.Call(
    title=',"live":{"is_live":true}',
    status=pb.CALL_STATUS_LIVE,
    created_at=MOMENT,
    updated_at=MOMENT,
    live=pb.LiveStatus(),
)


def test_the_documented_members_stand_in_the_documented_order(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.answers(
        pb.Call(
            id="11111111-1111-4111-8111-111111111111",
            status=pb.CALL_STATUS_ENDED,
            created_at=Timestamp(seconds=1, nanos=123456000),
            updated_at=Timestamp(seconds=1, nanos=120000000),
            live=pb.LiveStatus(ended_at=Timestamp(seconds=1)),
        )
    )
    text = ask(gateway.url, "GET", PATH).body.decode()
    values = {
        **dict.fromkeys(FIELDS),
        "id": "11111111-1111-4111-8111-111111111111",
        "host_user_id": "",
        "title": "",
        "stream_call_type": "",
        "status": "ended",
        "created_at": "1970-01-01T00:00:01.123456Z",
        "updated_at": "1970-01-01T00:00:01.120Z",
        "live": {"is_live": False, "current_session_id": None, "ended_at": "1970-01-01T00:00:01Z"},
    }
    assert text == json.dumps(values, separators=(",", ":"))


@given(call=CALLS)
@example(call=BARE)
@example(call=LIVE_FIRST)
@settings(max_examples=300)
def test_any_call_is_said_exactly(gateway: Gateway, running_upstream: Upstream, call: pb.Call) -> None:
    running_upstream.answers(call)
    reply = ask(gateway.url, "GET", PATH)
    assert reply.status == 200
    assert list(reply.json().items()) == list(documented(call).items())


def test_a_title_of_two_megabytes_passes(gateway: Gateway, upstream: Upstream) -> None:
    title = '"é' * 700_000
    upstream.answers(
        pb.Call(title=title, status=pb.CALL_STATUS_SCHEDULED, created_at=MOMENT, updated_at=MOMENT)
    )
    assert ask(gateway.url, "GET", PATH).json()["title"] == title


def documented(call: pb.Call) -> dict[str, object]:
    values = {name: value_of(call, name) for name in FIELDS}
    return {**values, "live": documented_live(call.live) if call.HasField("live") else None}


def value_of(call: pb.Call, name: str) -> object:
    if name in TIMESTAMPS:
        return time_of(call, name)
    if name == "status":
        return WORDS[call.status]
    return None if name in NULLABLE and not call.HasField(name) else getattr(call, name)


def documented_live(live: pb.LiveStatus) -> dict[str, object]:
    return {
        "is_live": live.is_live,
        "current_session_id": live.current_session_id if live.HasField("current_session_id") else None,
        "ended_at": time_of(live, "ended_at"),
    }


def time_of(message: pb.Call | pb.LiveStatus, name: str) -> str | None:
    time: Timestamp = getattr(message, name)
    return time.ToJsonString() if message.HasField(name) else None
