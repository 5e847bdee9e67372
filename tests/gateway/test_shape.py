from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from livecalls.v1 import live_calls_pb2 as pb

from tests.support.gateway import Gateway
from tests.support.rest import ask
from tests.support.upstream import Upstream

PATH = "/v1/live/calls/any"
WORDS = {1: "scheduled", 2: "live", 3: "ended", 4: "errored"}

# What a gateway without a JSON parser could trip over.
TRAPS = st.sampled_from(
    ['"', "\\", '\\"', "{", "}", ",", ":", "null", '","', ',"live":{', '"scheduled_at":', "CALL_STATUS_"]
)
TEXTS = st.lists(TRAPS | st.text(max_size=10)).map("".join)
OPTIONAL_TEXTS = st.none() | TEXTS
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
OPTIONAL_TIMES = st.none() | TIMES
LIVE = st.builds(
    pb.LiveStatus, is_live=st.booleans(), current_session_id=OPTIONAL_TEXTS, ended_at=OPTIONAL_TIMES
)
CALLS = st.builds(
    pb.Call,
    id=TEXTS,
    host_user_id=TEXTS,
    title=TEXTS,
    scheduled_at=OPTIONAL_TIMES,
    started_at=OPTIONAL_TIMES,
    ended_at=OPTIONAL_TIMES,
    stream_call_id=OPTIONAL_TEXTS,
    stream_call_type=TEXTS,
    recording_url=OPTIONAL_TEXTS,
    recording_ready_at=OPTIONAL_TIMES,
    status=st.sampled_from(list(pb.CallStatus.values())[1:]),
    created_at=TIMES,
    updated_at=TIMES,
    live=st.none() | LIVE,
)
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
    assert ask(gateway.url, "GET", PATH).body.decode() == (
        '{"id":"11111111-1111-4111-8111-111111111111","host_user_id":"","title":"","scheduled_at":null,'
        '"started_at":null,"ended_at":null,"stream_call_id":null,"stream_call_type":"",'
        '"recording_url":null,"recording_ready_at":null,"status":"ended",'
        '"created_at":"1970-01-01T00:00:01.123456Z","updated_at":"1970-01-01T00:00:01.120Z",'
        '"live":{"is_live":false,"current_session_id":null,"ended_at":"1970-01-01T00:00:01Z"}}'
    )


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
    return {
        "id": call.id,
        "host_user_id": call.host_user_id,
        "title": call.title,
        "scheduled_at": time_of(call, "scheduled_at"),
        "started_at": time_of(call, "started_at"),
        "ended_at": time_of(call, "ended_at"),
        "stream_call_id": call.stream_call_id if call.HasField("stream_call_id") else None,
        "stream_call_type": call.stream_call_type,
        "recording_url": call.recording_url if call.HasField("recording_url") else None,
        "recording_ready_at": time_of(call, "recording_ready_at"),
        "status": WORDS[call.status],
        "created_at": time_of(call, "created_at"),
        "updated_at": time_of(call, "updated_at"),
        "live": documented_live(call.live) if call.HasField("live") else None,
    }


def documented_live(live: pb.LiveStatus) -> dict[str, object]:
    return {
        "is_live": live.is_live,
        "current_session_id": live.current_session_id if live.HasField("current_session_id") else None,
        "ended_at": time_of(live, "ended_at"),
    }


def time_of(message: pb.Call | pb.LiveStatus, name: str) -> str | None:
    time: Timestamp = getattr(message, name)
    return time.ToJsonString() if message.HasField(name) else None
