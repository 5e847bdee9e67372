"""The service's responses for the sample calls of the demo, as the upstream's messages."""

from datetime import UTC, datetime

from livecalls.v1 import live_calls_pb2 as pb

from demo.sample_calls import sample_calls
from server.application.call import LiveStatus
from server.transport.live_calls import encode_call, encode_live_status

MOMENT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)

_LIVE = {
    "2": LiveStatus(is_live=True, current_session_id="session-2", ended_at=None),
    "3": LiveStatus(is_live=False, current_session_id="session-3", ended_at=MOMENT),
    "6": LiveStatus(is_live=False, current_session_id="session-6", ended_at=None),
}


def sample_replies() -> dict[str, pb.Call]:
    """Make the responses by id."""
    replies = {str(call.id): encode_call(call) for call in sample_calls(MOMENT)}
    for call_id, call in replies.items():
        if call_id[0] in _LIVE:
            call.live.CopyFrom(encode_live_status(_LIVE[call_id[0]]))
    return replies
