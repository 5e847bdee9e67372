"""A call as a table for people."""

from typing import Any
from unicodedata import category

from client.rest_json import escape, parse

_UNSET = "-"
# What a terminal obeys, or what changes how the rest is shown: controls, formats, ends of lines.
_OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")
# Formats within words of Persian and of India's scripts, and within emoji: these do no harm.
_JOINERS = "\u200c\u200d"
_TIMESTAMP_OF_STATUS = {
    "scheduled": ("for", "scheduled_at"),
    "live": ("since", "started_at"),
    "ended": ("since", "ended_at"),
}


def table(text: str) -> str:
    """Print the documented JSON as lines of a label and a value; times are in UTC, and marked so."""
    call = parse(text)
    rows = {
        "Title": sanitize(call["title"]) or '""',
        "Status": _status(call),
        "Stream says": _live(call),
        "Recording": _recording(call),
        "Scheduled": _timestamp(call["scheduled_at"]),
        "Started": _timestamp(call["started_at"]),
        "Ended": _timestamp(call["ended_at"]),
        "Call": sanitize(call["id"]),
        "Host": sanitize(call["host_user_id"]),
        "Stream call": _stream_call(call),
        "Created": _timestamp(call["created_at"]),
        "Updated": _timestamp(call["updated_at"]),
    }
    width = max(map(len, rows)) + 2
    return "\n".join(f"{label:<{width}}{value}" for label, value in rows.items())


def sanitize(value: object) -> str:
    r"""Print any value so that no terminal obeys it: control characters are escaped as in JSON, \u…."""
    return "".join(
        escape(it) if category(it) in _OBEYED and it not in _JOINERS else it for it in str(value)
    )


def _status(call: dict[str, Any]) -> str:
    status = str(call["status"])
    word, name = _TIMESTAMP_OF_STATUS.get(status, ("", ""))
    timestamp = call.get(name)
    return f"{status}, {word} {_timestamp(timestamp)}" if timestamp else sanitize(status)


def _live(call: dict[str, Any]) -> str:
    live = call["live"]
    if live is None and call["stream_call_id"] is None:
        return "live state unknown: the call has no id at Stream"
    if live is None:
        return "live state unknown: Stream was not asked, has no such call, or did not answer in time"
    words = ["on air" if live["is_live"] else "not on air"]
    if live["ended_at"] is not None:
        ended = "last ended" if live["is_live"] else "ended"
        words.append(f"{ended} {_timestamp(live['ended_at'])}")
    if live["current_session_id"] is not None:
        words.append(f"session {sanitize(live['current_session_id'])}")
    return ", ".join(words)


def _recording(call: dict[str, Any]) -> str:
    url, ready_at = call["recording_url"], call["recording_ready_at"]
    words = [_UNSET if url is None else sanitize(url)]
    if ready_at is not None:
        words.append(f"ready since {_timestamp(ready_at)}")
    return ", ".join(words)


def _stream_call(call: dict[str, Any]) -> str:
    known = call["stream_call_id"]
    return f"{sanitize(call['stream_call_type'])}, {_UNSET if known is None else sanitize(known)}"


def _timestamp(value: object) -> str:
    """Print an RFC 3339 time in UTC to the second."""
    return _UNSET if value is None else f"{sanitize(value)[:19].replace('T', ' ')} UTC"
