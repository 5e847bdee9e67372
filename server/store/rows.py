"""The stored fields of a call, and how a row becomes a call."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter, itemgetter
from sys import getsizeof
from typing import Any

from sqlalchemy import DateTime

from server.application.call import Call, CallStatus
from server.resilience.bounded_cache import bounded_lru_cache
from server.store.tables import calls

FIELDS = tuple(field.name for field in fields(Call))
"""The columns of a call, in the documented order."""

TIMESTAMPS = tuple(name for name in FIELDS if isinstance(calls.c[name].type, DateTime))
"""Those of them that are timestamps."""

BEYOND_YEARS = "not in the years 1 to 9999"
"""What is wrong with a time that Python does not know."""

MAX_CACHED_ROWS = 2000
"""Rows whose calls are cached, some 2 KB each."""

MAX_CALL_BYTES = 8192
"""Bytes of the values of a call that is cached: 16 MiB of all."""

_MAX_SHOWN = 80
"""Characters of a fault that are shown; nothing bounds the value that it quotes."""

_STATUS = FIELDS.index("status")
_TIMESTAMP_INDICES = [FIELDS.index(name) for name in TIMESTAMPS]
_ID = FIELDS.index("id")
_REQUIRED = [place for place, name in enumerate(FIELDS) if not calls.c[name].nullable]
_required_of = itemgetter(*_REQUIRED)
_values_of = attrgetter(*FIELDS)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class UnreadableRowError(ValueError):
    """A row that holds what no call can have, which the table's constraints rule out."""

    def __init__(self, call_id: str, problem: str) -> None:
        super().__init__(f"the row of call {call_id} cannot be read: {problem}")
        self.call_id = call_id
        self.problem = problem


def to_call(row: Iterable[Any]) -> Call:
    """Make a call of the values of FIELDS, in their order; raises UnreadableRowError."""
    values = list(row)
    if None in _required_of(values):
        nulls = (FIELDS[place] for place in _REQUIRED if values[place] is None)
        raise UnreadableRowError(values[_ID], f"{', '.join(nulls)}: null")
    try:
        values[_STATUS] = CallStatus(values[_STATUS])
    except ValueError as error:
        raise UnreadableRowError(values[_ID], f"status: {str(error)[:_MAX_SHOWN]}") from None
    return Call(*values)


def _size(call: Call) -> int:
    """Add up what a call's values take in memory, in bytes."""
    return sum(map(getsizeof, _values_of(call)))


@bounded_lru_cache(MAX_CACHED_ROWS, MAX_CALL_BYTES, _size)
def unpack(row: tuple[Any, ...]) -> Call:
    """Make a call of a row whose timestamps are PostgreSQL's own: microseconds since 2000.

    Equal rows return the very same call, so that what is made of it need not be made again.
    Raises UnreadableRowError.
    """
    values = list(row)
    try:
        for moment in _TIMESTAMP_INDICES:
            if values[moment] is not None:
                values[moment] = _EPOCH + timedelta(microseconds=values[moment])
    except OverflowError:
        raise UnreadableRowError(values[_ID], f"{FIELDS[moment]}: {BEYOND_YEARS}") from None
    return to_call(values)
