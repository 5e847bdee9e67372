"""What is said of one call, alone or among others, and the ways in which it can be wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from demo.stream_stand_in.stand_in import Behaviour

Item = dict[str, Any]
"""A call with its members and capabilities: most of GetCall's response, one of QueryCalls'."""
_MAX_PARTICIPANTS = 250
_MAX_CUSTOM = 5000


def spoil(item: Item, behaviour: Behaviour) -> Item:
    """Return the item as the behaviour has it: unchanged if that is not about items."""
    return _WAYS[behaviour](item) if behaviour in _WAYS else item


def concerns_items(behaviour: Behaviour) -> bool:
    """Return whether a behaviour is about single calls, so that others beside them can be good."""
    return behaviour in _WAYS or behaviour in {Behaviour.WELL, Behaviour.NOT_FOUND}


def _crowd(item: Item) -> Item:
    """Fill a session with as many participants, and as much of each, as Stream lets it have."""
    session = item["call"]["session"] or {"participants": []}
    for participant in session["participants"]:
        participant["user"]["custom"] = {"about": "x" * _MAX_CUSTOM}
    session["participants"] *= _MAX_PARTICIPANTS
    return item


def _leave_out_unset(value: Any) -> Any:
    """Leave out what is null, however deep, as Stream's schema permits."""
    if isinstance(value, dict):
        return {key: _leave_out_unset(part) for key, part in value.items() if part is not None}
    return [_leave_out_unset(part) for part in value] if isinstance(value, list) else value


def _write_iso_dates(value: Any) -> Any:
    """Write dates as Stream's API v1 does: RFC 3339, with nanoseconds."""
    if isinstance(value, dict):
        return {
            key: _iso(part) if key.endswith("_at") and part is not None else _write_iso_dates(part)
            for key, part in value.items()
        }
    return [_write_iso_dates(part) for part in value] if isinstance(value, list) else value


def _iso(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09}Z"


def _drop_fields(item: Item) -> Item:
    del item["call"]["backstage"], item["call"]["session"]
    return item


def _wrong_types(item: Item) -> Item:
    item["call"]["backstage"] = "false"
    return item


def _other_call(item: Item) -> Item:
    item["call"] |= {"id": "another", "cid": f"{item['call']['type']}:another"}
    return item


_WAYS: dict[Behaviour, Callable[[Item], Item]] = {
    Behaviour.ISO_DATES: _write_iso_dates,
    Behaviour.UNSET_LEFT_OUT: _leave_out_unset,
    Behaviour.CROWDED: _crowd,
    Behaviour.OTHER_CALL: _other_call,
    Behaviour.MISSING_FIELDS: _drop_fields,
    Behaviour.WRONG_TYPES: _wrong_types,
}
