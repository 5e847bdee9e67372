"""Reads a call from JSON in the documented shape, as strictly as the table takes its row."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar, get_type_hints

from pydantic import ConfigDict, PlainValidator, ValidationError, create_model
from pydantic_core import ErrorDetails, PydanticCustomError

from server.application.call import MAX_TITLE_LENGTH, Call, CallStatus
from server.application.get_call import CANONICAL_UUID
from server.store.rows import FIELDS

_STATUSES = frozenset(CallStatus)
_MAX_PROBLEMS = 3
_MAX_KEY = 40
_SURROGATES = re.compile("[\ud800-\udfff]")
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.IGNORECASE | re.ASCII
)

Value = TypeVar("Value")


class BadLineError(ValueError):
    """A line that is not a call; the message names fields and reasons, and shows no value."""


def read_call(line: bytes) -> Call:
    """Read a call; raises BadLineError.

    All fields must be present and no others, but for `live`, which is ignored. Of a second, what is
    finer than a microsecond is cut off.
    """
    try:
        values = dict(_Shape.model_validate(_json_object(line)))
    except ValidationError as error:
        raise BadLineError(_summary(error)) from None
    del values["live"]
    return Call(**values)


class _Object(tuple[tuple[str, Any], ...]):
    """The members of a JSON object as they come, so that a duplicate key is noticed."""

    __slots__ = ()


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        members = _JSON.decode(line.decode().strip())
    except UnicodeDecodeError as error:
        raise BadLineError(f"is not UTF-8, at byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")
        raise BadLineError(f"is not JSON: {reason}, at character {error.pos + 1}") from None
    except RecursionError:
        raise BadLineError("is nested too deep") from None
    if not isinstance(members, _Object):
        raise BadLineError("is not a JSON object")
    values = dict(members)
    if len(values) < len(members):
        ((key, _),) = Counter(key for key, _ in members).most_common(1)
        raise BadLineError(f"{_quote(key)}: stands there more than once")
    return values


def _refuse(constant: str) -> NoReturn:
    raise BadLineError(f"is not JSON: {constant}")


# Python's parser: pydantic's silently takes the last of two values of a key. No field is a number,
# and reading one as a float knows no limit of digits.
_JSON = json.JSONDecoder(object_pairs_hook=_Object, parse_constant=_refuse, parse_int=float)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _wrong("must be a string")
    if "\0" in value:
        raise _wrong("must not hold NUL (U+0000)")
    if _SURROGATES.search(value):
        raise _wrong("must not hold half of a surrogate pair")
    return value


def _title(value: object) -> str:
    text = _text(value)
    if len(text) > MAX_TITLE_LENGTH:
        raise _wrong(f"must have {MAX_TITLE_LENGTH} characters at most")
    return text


def _id(value: object) -> str:
    if isinstance(value, str) and CANONICAL_UUID.fullmatch(value):
        return value.lower()
    raise _wrong("must be a UUID of 36 characters")


def _parse_timestamp(value: object) -> datetime:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise _wrong("must be an RFC 3339 date-time with its offset, such as 2026-05-04T03:02:01Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise _wrong("must be in the years 1 to 9999, in UTC") from None
    except ValueError:
        raise _wrong("must be a date and a time that exist, in the years 1 to 9999") from None


def _status(value: object) -> CallStatus:
    if isinstance(value, str) and value in _STATUSES:
        return CallStatus(value)
    raise _wrong(f"must be one of {', '.join(CallStatus)}")


def _nullable(read: Callable[[object], Value]) -> Callable[[object], Value | None]:
    return lambda value: None if value is None else read(value)


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("field", message)


_READERS: dict[Any, Callable[[object], object]] = {
    str: _text,
    datetime: _parse_timestamp,
    CallStatus: _status,
    str | None: _nullable(_text),
    datetime | None: _nullable(_parse_timestamp),
}
_HINTS = get_type_hints(Call)
_READERS_BY_NAME: dict[str, Callable[[object], object]] = {"id": _id, "title": _title}
_MESSAGES = {"missing": "is missing", "extra_forbidden": "is no field of a call"}

_TYPES: dict[str, Any] = {
    name: Annotated[Any, PlainValidator(_READERS_BY_NAME.get(name, _READERS[_HINTS[name]]))]
    for name in FIELDS
}
_Shape = create_model("_Shape", __config__=ConfigDict(extra="forbid"), live=(Any, None), **_TYPES)


def _summary(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    shown = [_line(problem) for problem in problems[:_MAX_PROBLEMS]]
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    return "; ".join(shown)


def _line(problem: ErrorDetails) -> str:
    if not problem["loc"]:
        return "has a key with half of a surrogate pair"
    return f"{_quote(str(problem['loc'][0]))}: {_MESSAGES.get(problem['type'], problem['msg'])}"


def _quote(key: str) -> str:
    """Return a key for a message, escaped if unknown: a terminal might take it for a command."""
    return key if key in FIELDS else json.dumps(f"{key[:_MAX_KEY]}…" if key[_MAX_KEY:] else key)
