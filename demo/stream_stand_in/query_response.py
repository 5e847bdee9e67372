"""What QueryCalls responds with: the page asked for, with the calls that behave ill as they behave."""

from typing import Any

from demo.stream_stand_in.bodies import Body, call_item, query_calls_body
from demo.stream_stand_in.items import Item, concerns_items, spoil
from demo.stream_stand_in.query_request import Query, split_cid
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn


def query_behaviour(stand_in: StreamStandIn, query: Query) -> Behaviour:
    """Return the behaviour of the response as a whole: the first such that a call asked for has."""
    behaviours = (stand_in.behaviour_for(stand_in.find(*split_cid(cid))) for cid in query.cids)
    return next((it for it in behaviours if not concerns_items(it)), Behaviour.WELL)


def query_body(stand_in: StreamStandIn, query: Query) -> Body:
    """Return the page asked for; calls that are not known are not in it."""
    found = _found(stand_in, query)
    for sort in reversed(query.cursor.sort):
        found.sort(key=lambda it: _rank(it[0]["call"][sort.field]), reverse=sort.direction == -1)
    begin, end = query.cursor.offset, query.cursor.offset + query.limit
    items = [spoil(item, behaviour) for item, behaviour in found[begin:end]]
    return query_calls_body(items, _cursors(query, len(found)))


def _found(stand_in: StreamStandIn, query: Query) -> list[tuple[Item, Behaviour]]:
    calls = (stand_in.find_lagging(*split_cid(cid)) for cid in dict.fromkeys(query.cids))
    found = [(call_item(call), stand_in.behaviour_for(call)) for call in calls if call]
    return [it for it in found if it[1] is not Behaviour.NOT_FOUND]


def _rank(value: Any) -> tuple[bool, Any]:
    """Order what is unset behind all else."""
    return value is None, value or 0


def _cursors(query: Query, count: int) -> dict[str, str]:
    """Return the cursors of the pages that there are behind and before this one."""
    begin = query.cursor.offset
    offsets = {}
    if begin + query.limit < count:
        offsets["next"] = begin + query.limit
    if begin:
        offsets["prev"] = max(0, begin - query.limit)
    return {
        name: query.cursor.model_copy(update={"offset": offset}).to_token()
        for name, offset in offsets.items()
    }
