"""Calls as JSON Lines: one call a line, in the documented shape without `live`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from server.application.call import Call
from server.store.call_shape import BadLineError, read_call
from server.store.rows import FIELDS

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Bytes of a line that are read at most; a call takes some five hundred, and the gateway 8 MiB."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """What a line of a file holds: a call, or a problem if that is None."""

    number: int
    call: Call | None
    problem: str = ""


def write_line(call: Call) -> bytes:
    """Write a call as a line with its end, date-times in UTC as the REST API prints them."""
    values = {name: _plain(getattr(call, name)) for name in FIELDS}
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Read the lines of a file, of which one is held at a time; blank ones are skipped."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            _pass_over_rest(file)
            yield Line(number, None, f"is longer than {MAX_LINE_BYTES:,} bytes")
            continue
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.strip():
            yield _line(number, line)


def _pass_over_rest(file: BinaryIO) -> None:
    while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _line(number: int, line: bytes) -> Line:
    try:
        return Line(number, read_call(line))
    except BadLineError as error:
        return Line(number, None, str(error))


def _plain(value: str | datetime | None) -> str | None:
    if isinstance(value, datetime):
        return _date_time(value)
    return None if value is None else str(value)


def _date_time(moment: datetime) -> str:
    """Print with 0, 3 or 6 digits of a second, as protobuf's JSON does."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    if moment.microsecond == 0:
        return moment.isoformat(timespec="seconds") + "Z"
    precision = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=precision) + "Z"
