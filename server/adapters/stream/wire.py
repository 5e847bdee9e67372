"""Reads Stream's JSON: decodes what its API v2 says about a call into a LiveStatus."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError

from server.adapters.stream.errors import UnusableResponseError
from server.adapters.stream.json_body import field_of, read_json
from server.application.call import LiveStatus

StreamCall = tuple[str, str]
"""A call's type and id at Stream."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_SECOND_NS = 10**9
_MIN_NS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _SECOND * _SECOND_NS
_MAX_NS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _SECOND * _SECOND_NS + _SECOND_NS - 1
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_MAX_NAME = 64


def is_addressable(call_type: str, call_id: str) -> bool:
    """Return whether a type and an id can be part of the URL of a call at Stream."""
    # A path segment of dots would lead to another URL: the HTTP client resolves it.
    return all(0 < len(name) <= _MAX_NAME and name not in {".", ".."} for name in (call_type, call_id))


def read_get_call(body: bytes, call_type: str, call_id: str) -> LiveStatus:
    """Read the response of GetCall, as `read_live_status` does.

    Raises StreamFailedError if it is not JSON.
    """
    return read_live_status(read_json(body, CallResponse), call_type, call_id)


def read_live_status(response: object, call_type: str, call_id: str) -> LiveStatus:
    """Read a CallResponse, or JSON that is none: GetCall's response, or an item of QueryCalls'.

    Raises UnusableResponseError if a required field is missing, if a field that counts is not what
    Stream's schema has, or if the response is about another call.
    """
    try:
        call = CallResponse.model_validate(response).call
    except ValidationError as error:
        # Without its cause, which quotes the response.
        raise UnusableResponseError(field_of(error)) from None
    if call.cid is not None and call.cid != f"{call_type}:{call_id}":
        raise UnusableResponseError("call.cid is another call's")
    return LiveStatus(
        is_live=call.is_on_air,
        current_session_id=call.current_session_id or None,
        ended_at=_timestamp(call.ended_at),
    )


def _nanoseconds(value: object) -> int | None:
    """Read a date in either of Stream's forms, as Unix nanoseconds that a datetime can hold."""
    if value is None:
        return None
    nanoseconds = _read_rfc_3339(value) if isinstance(value, str) else _read_number(value)
    if not _MIN_NS <= nanoseconds <= _MAX_NS:
        raise ValueError("beyond the calendar")
    return nanoseconds


def _read_number(value: object) -> int:
    """Read Unix nanoseconds, as Stream's API v2 writes dates."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not whole nanoseconds")  # noqa: TRY004 - pydantic collects ValueError alone
    return value


def _read_rfc_3339(text: str) -> int:
    """Read a date as Stream's API v1 and its events write it, cut to the nanosecond."""
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError("not RFC 3339")
    date, time, fraction, offset = match.groups(default="")
    seconds = (datetime.fromisoformat(f"{date}T{time}{offset.upper()}") - _EPOCH) // _SECOND
    return seconds * _SECOND_NS + int(fraction[:9].ljust(9, "0"))


def _timestamp(nanoseconds: int | None) -> datetime | None:
    """Make a datetime of Unix nanoseconds, cut to the microsecond."""
    return None if nanoseconds is None else _EPOCH + timedelta(microseconds=nanoseconds // 1000)


# Kept as nanoseconds, so that two dates within a microsecond still differ.
_Date = Annotated[int | None, PlainValidator(_nanoseconds)]
# The limit also makes pydantic refuse halves of surrogate pairs, which no protobuf string can hold.
_Text = Annotated[str, StringConstraints(max_length=255)]


class _Part(BaseModel):
    """A part of the response; what has a default is what Stream's schema does not require."""

    model_config = ConfigDict(strict=True, frozen=True)


class _Session(_Part):
    live_started_at: _Date = None
    live_ended_at: _Date = None
    ended_at: _Date = None


class _Call(_Part):
    backstage: bool
    current_session_id: _Text
    cid: str | None = None
    ended_at: _Date = None
    session: _Session | None = None

    @property
    def is_on_air(self) -> bool:
        """Whether it is out of backstage, in a session that went live and has not ended since.

        A call that was ended, or whose live stream was, may go on air again: Stream then keeps the
        earlier end next to the later start.
        """
        session = self.session
        if self.backstage or session is None or session.ended_at is not None:
            return False
        started = session.live_started_at
        return started is not None and all(
            ended is None or ended < started for ended in (self.ended_at, session.live_ended_at)
        )


class CallResponse(_Part):
    """What Stream says about a call."""

    call: _Call
