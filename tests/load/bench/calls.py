"""The calls that the bench requests: 100,000 of them, some more often than others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from server.application.call import Call, CallStatus
from tests.support.data.calls import make_call

COUNT = 100_000
WARM = 1000
FEW = 20
TYPE = "livestream"
# Of fifty calls, one is on air, nine are planned, one has failed and the others are over.
_STATUSES = (
    [CallStatus.LIVE] + [CallStatus.SCHEDULED] * 9 + [CallStatus.ERRORED] + [CallStatus.ENDED] * 39
)


@dataclass(frozen=True)
class Keys:
    """The ids of some calls, which are requested equally often."""

    name: str
    ids: list[str]


def bench_calls(now: datetime | None = None) -> Iterator[Call]:
    """Make the calls; at Stream are those on air, and so 20 of the warm ones."""
    now = (now or datetime.now(UTC)).replace(microsecond=123456)
    random = Random(4)  # noqa: S311 - the same ids each time
    for number in range(COUNT):
        call_id = str(UUID(int=random.getrandbits(128), version=4))
        yield _call(call_id, number, _STATUSES[number % len(_STATUSES)], now)


def key_sets(calls: Sequence[Call]) -> list[Keys]:
    """Return the sets: one call on air, a thousand calls, all, and such of which more are on air."""
    on_air = [call.id for call in calls if call.stream_call_id]
    off_air = [call.id for call in calls if not call.stream_call_id]
    ids = [call.id for call in calls]
    return [
        Keys("hot", on_air[:1]),
        Keys("warm", ids[:WARM]),
        Keys("spread", ids),
        Keys("few_on_air", on_air[:FEW]),
        Keys("tenth_on_air", on_air[: WARM // 10] + off_air[: WARM - WARM // 10]),
        Keys("on_air", on_air[:WARM]),
    ]


def _call(call_id: str, number: int, status: CallStatus, now: datetime) -> Call:
    began = now - timedelta(minutes=number % 1000)
    planned = make_call(
        id=call_id,
        host_user_id=f"coach-{number % 500}",
        title=f"Class {number}: strength and breathing",
        scheduled_at=began,
        stream_call_type=TYPE,
        status=status,
        created_at=began - timedelta(days=7),
        updated_at=began,
    )
    if status is CallStatus.LIVE:
        return replace(planned, started_at=began, stream_call_id=f"call-{number}")
    if status is CallStatus.ENDED:
        return replace(
            planned,
            started_at=began,
            ended_at=began + timedelta(minutes=45),
            recording_url=f"https://recordings.example.com/{call_id}.mp4",
            recording_ready_at=began + timedelta(minutes=50),
        )
    return planned
