"""Reads Stream's JSON: what GetCall of its API v2 says becomes a LiveStatus."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError

from server.adapters.stream.errors import UnusableAnswerError
from server.application.call import LiveStatus

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 64


def can_be_asked(call_type: str, call_id: str) -> bool:
    """Tell whether a type and an id can stand in the address of a call at Stream."""
    # A path segment of dots would address something else: the HTTP client resolves it.
    return all(
        0 < len(name) <= _LONGEST_NAME and name not in {".", ".."} for name in (call_type, call_id)
    )


def read_live_status(answer: object) -> LiveStatus:
    """Read the decoded JSON of an answer.

    Raises UnusableAnswerError where a field that counts is missing or is not what Stream documents.
    """
    try:
        call = _Answer.model_validate(answer).call
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        # Without its cause, which quotes the answer.
        raise UnusableAnswerError(field or "body") from None
    return LiveStatus(
        is_live=call.is_live, current_session_id=call.current_session_id or None, ended_at=call.ended_at
    )


def _moment(value: object) -> datetime | None:
    """Read Unix nanoseconds, to the microsecond."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not whole nanoseconds")  # noqa: TRY004 - pydantic collects ValueError alone
    try:
        return _EPOCH + timedelta(microseconds=value // 1000)
    except OverflowError:
        raise ValueError("beyond the calendar") from None


_Moment = Annotated[datetime | None, PlainValidator(_moment)]
# The limit also makes pydantic refuse halves of surrogate pairs, which no protobuf string can hold.
_Text = Annotated[str, StringConstraints(max_length=255)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Session(_Part):
    live_started_at: _Moment
    live_ended_at: _Moment
    ended_at: _Moment

    @property
    def is_live(self) -> bool:
        return self.live_started_at is not None and self.live_ended_at is None and self.ended_at is None


class _Call(_Part):
    backstage: bool
    current_session_id: _Text
    ended_at: _Moment
    session: _Session | None

    @property
    def is_live(self) -> bool:
        on_stage = not self.backstage and self.ended_at is None
        return on_stage and self.session is not None and self.session.is_live


class _Answer(_Part):
    call: _Call
