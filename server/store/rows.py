"""What of a call is stored, and how a row becomes a call."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from server.application.call import Call, CallStatus

FIELDS = tuple(field.name for field in fields(Call) if field.name != "live")
"""The fields that are stored, in the documented order."""

_STATUS = FIELDS.index("status")


def to_call(row: Iterable[Any]) -> Call:
    """Make a call of the values of FIELDS, in their order."""
    values = list(row)
    values[_STATUS] = CallStatus(values[_STATUS])
    return Call(*values)
