"""The domain types: a call, its status, and its live status at Stream."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

MAX_TITLE_LENGTH = 1000
"""Characters of a title: Unicode code points, as PostgreSQL and Python count them."""


class CallStatus(StrEnum):
    """The status of a call's row."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    ERRORED = "errored"


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """The live status of a call at Stream: `is_live` means on air right now."""

    is_live: bool
    current_session_id: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Call:
    """A call's row. Its id is a UUID of 36 characters in lower case.

    Its title has MAX_TITLE_LENGTH characters at most. Every time is aware and in UTC, to the
    microsecond.
    """

    id: str
    host_user_id: str
    title: str
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    stream_call_id: str | None
    stream_call_type: str
    recording_url: str | None
    recording_ready_at: datetime | None
    status: CallStatus
    created_at: datetime
    updated_at: datetime


class CallState(NamedTuple):
    """The state of a call: its row, and its live status at Stream, None if that is not known."""

    call: Call
    live: LiveStatus | None
