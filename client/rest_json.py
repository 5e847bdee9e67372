"""The documented JSON of a call, to the byte as the REST API prints it."""

import json
import re
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from livecalls.v1 import live_calls_pb2 as pb

from client.caller import ServiceFailedError

_PREFIX = "CALL_STATUS_"
# What Envoy's transcoder escapes beyond what JSON requires: markup, control and format characters.
_ESCAPED = re.compile(
    "[<>\x7f-\x9f\xad\u0600-\u0603\u06dd\u070f\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u2064"
    "\u206a-\u206f\ufeff\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)


def to_json(call: pb.Call) -> str:
    """Print a call as JSON, with null for what is unset."""
    text = json.dumps(_members(call), ensure_ascii=False, separators=(",", ":"))
    return _ESCAPED.sub(lambda found: escape(found[0]), text)


def escape(character: str) -> str:
    r"""Escape a character for a JSON string: \u and four digits, twice beyond the first 65,536."""
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def parse(text: str) -> dict[str, Any]:
    """Read the documented JSON; raises ServiceFailedError if it is something else."""
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        call = None
    if not _has_all(call, pb.Call.DESCRIPTOR.fields_by_name) or not (
        call["live"] is None or _has_all(call["live"], pb.LiveStatus.DESCRIPTOR.fields_by_name)
    ):
        raise ServiceFailedError("the answer is no call")
    return dict(call)


def _members(message: Message) -> dict[str, Any]:
    return {field.name: _plain(message, field) for field in message.DESCRIPTOR.fields}


def _plain(message: Message, field: Any) -> Any:
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        return _members(value)
    return _word(field, value) if field.enum_type else value


def _word(field: Any, number: int) -> str:
    """Return the documented name of a status; one that is newer than these stubs is unknown."""
    status = field.enum_type.values_by_number.get(number)
    return status.name.removeprefix(_PREFIX).lower() if status and number else "unknown"


def _has_all(value: object, names: Any) -> bool:
    return isinstance(value, dict) and all(name in value for name in names)
