"""The six calls of the demo: one for each state of a call."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from server.application.call import Call, CallStatus

# The ids of their calls at Stream, which the stand-in simulates.
ON_AIR = "demo-on-air"
ENDED = "demo-ended"
NEVER_ANSWERS = "demo-never-answers"
BACKSTAGE = "demo-backstage"

# Everything that a careless gateway, log or database would trip over.
ODD_TITLE = (
    '"Morning" {yoga} \\ утренняя йога · 朝のヨガ · يوغا الصباح · योग 🧘 '
    '"scheduled_at":"never","live":{"is_live":true}'
)


def sample_calls(now: datetime) -> list[Call]:
    """Make the sample calls as of a time, which is aware."""
    now = now.astimezone(UTC).replace(microsecond=0)
    planned = _make_call(now)
    began = now - timedelta(minutes=20)
    live = replace(planned, status=CallStatus.LIVE, scheduled_at=began, started_at=began)
    return [
        replace(planned, id=sample_id(1), title="Breathing for beginners"),
        replace(live, id=sample_id(2), title="Strength class", stream_call_id=ON_AIR),
        replace(
            live,
            id=sample_id(3),
            title="Nutrition: questions and answers",
            status=CallStatus.ENDED,
            ended_at=now - timedelta(minutes=10),
            stream_call_id=ENDED,
            recording_url="https://recordings.example.com/nutrition.mp4",
            recording_ready_at=now - timedelta(minutes=5),
        ),
        replace(
            planned,
            id=sample_id(4),
            title="Sleep consultation",
            status=CallStatus.ERRORED,
            scheduled_at=began,
        ),
        replace(live, id=sample_id(5), title="Running club", stream_call_id=NEVER_ANSWERS),
        replace(live, id=sample_id(6), title=ODD_TITLE, stream_call_id=BACKSTAGE),
    ]


def sample_id(digit: int) -> str:
    """Make the id of the sample call with the number, from 1 to 9."""
    d = str(digit)
    return f"{d * 8}-{d * 4}-4{d * 3}-8{d * 3}-{d * 12}"


def _make_call(now: datetime) -> Call:
    """Make a call that is planned for tomorrow, which the others are changed from."""
    return Call(
        id=sample_id(1),
        host_user_id="coach-7",
        title="",
        scheduled_at=now + timedelta(days=1),
        started_at=None,
        ended_at=None,
        stream_call_id=None,
        stream_call_type="livestream",
        recording_url=None,
        recording_ready_at=None,
        status=CallStatus.SCHEDULED,
        created_at=now - timedelta(days=7),
        updated_at=now,
    )
