"""Stream's QueryCalls: writes the request for calls by their cids, and reads its response."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    UnreadableResponseError,
    UnusableResponseError,
)
from server.adapters.stream.json_body import read_json
from server.adapters.stream.wire import CallResponse, StreamCall, read_live_status
from server.application.call import LiveStatus

MIN_CALLS = 2
"""Calls that share a request at least."""
MAX_CALLS = 100
"""Calls that Stream returns at most for one request."""

_NAME = re.compile(r"[\w-]{1,64}", re.ASCII)


def is_queryable(call: StreamCall) -> bool:
    """Return whether a call's type and id are such as Stream gives out.

    With others a cid could be ambiguous, or the whole request be rejected for one of its calls.
    """
    return all(map(_NAME.fullmatch, call))


def query_of(calls: Sequence[StreamCall]) -> dict[str, Any]:
    """Write the body of a request for up to MAX_CALLS calls."""
    cids = [_cid(call) for call in calls]
    # Always for as many as there can be: a response without all of its calls would have a next page.
    return {"filter_conditions": {"cid": {"$in": cids}}, "limit": MAX_CALLS}


def read_live_statuses(
    body: bytes, calls: Sequence[StreamCall]
) -> dict[StreamCall, LiveStatus | StreamError]:
    """Read the response: for each call its status, or why there is none.

    A call that the response lacks is StreamCallNotFoundError, unless it has items of no call that was
    asked for: one of those may be its. Raises UnreadableResponseError if all of it cannot be relied
    on: no JSON, no list of MAX_CALLS at most, none of them readable, or a next page with others.
    """
    page = read_json(body, _Page)
    statuses: dict[StreamCall, LiveStatus | StreamError] = {}
    by_cid = {_cid(call): call for call in calls}
    stray: StreamError | None = None
    for item in page.calls:
        call = by_cid.get(_cid_of(item))
        if call is None:
            stray = UnusableResponseError("call.cid")
        elif call not in statuses:
            statuses[call] = _read_item(item, call)
    absent = [call for call in calls if call not in statuses]
    _check_page(page, statuses, stray, lacks_calls=bool(absent))
    return statuses | dict.fromkeys(absent, stray or StreamCallNotFoundError())


def _check_page(
    page: "_Page",
    statuses: dict[StreamCall, LiveStatus | StreamError],
    stray: StreamError | None,
    *,
    lacks_calls: bool,
) -> None:
    if lacks_calls and page.next:
        raise UnreadableResponseError("a page without all of its calls")
    unusable = [status for status in statuses.values() if isinstance(status, StreamError)]
    if stray and not statuses:
        raise stray
    if unusable and len(unusable) == len(statuses):
        raise unusable[0]


def _read_item(item: object, call: StreamCall) -> LiveStatus | StreamError:
    try:
        return read_live_status(item, *call)
    except UnusableResponseError as error:
        return error


def _cid(call: StreamCall) -> str:
    return f"{call[0]}:{call[1]}"


def _cid_of(item: object) -> str:
    """Return the cid of an item, empty if there is none."""
    if isinstance(item, CallResponse):
        return item.call.cid or ""
    call = item.get("call") if isinstance(item, dict) else None
    cid = call.get("cid") if isinstance(call, dict) else None
    return cid if isinstance(cid, str) else ""


class _Page(BaseModel):
    # What is no CallResponse is kept as it is: `read_live_status` says why.
    calls: Annotated[
        list[Annotated[CallResponse | Any, Field(union_mode="left_to_right")]],
        Field(max_length=MAX_CALLS),
    ]
    next: Any = None
