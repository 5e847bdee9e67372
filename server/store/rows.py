"""What of a call is stored, and how a row becomes a call."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime

from server.application.call import Call, CallStatus
from server.store.tables import calls

FIELDS = tuple(field.name for field in fields(Call))
"""The columns of a call, in the documented order."""

ROWS_REMEMBERED = 2000
"""Rows whose calls are remembered, some 2 KB each."""

_STATUS = FIELDS.index("status")
_MOMENTS = [place for place, name in enumerate(FIELDS) if isinstance(calls.c[name].type, DateTime)]
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def to_call(row: Iterable[Any]) -> Call:
    """Make a call of the values of FIELDS, in their order."""
    values = list(row)
    values[_STATUS] = CallStatus(values[_STATUS])
    return Call(*values)


@lru_cache(ROWS_REMEMBERED)
def unpacked(row: tuple[Any, ...]) -> Call:
    """Make a call of a row in which times are PostgreSQL's own: microseconds since 2000.

    Rows that are equal make the very same call, so that what is made of it need not be made again.
    """
    values = list(row)
    for moment in _MOMENTS:
        if values[moment] is not None:
            values[moment] = _EPOCH + timedelta(microseconds=values[moment])
    return to_call(values)
