"""Sends requests to Stream: GetCall for one call, QueryCalls for several, as far as the gates permit."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextvars import Context
from random import getrandbits

from server.adapters.stream.asked_alone import AskedAlone
from server.adapters.stream.bulk_requests import BulkRequests, Failure
from server.adapters.stream.fetch import Fetch
from server.adapters.stream.gate import Gate
from server.adapters.stream.metrics import (
    BREAKER_OPEN,
    BULK_OPEN,
    CALLS_PER_QUERY,
    IN_FLIGHT,
    Endpoint,
    NullReason,
    record_request,
)
from server.adapters.stream.ports import Stream
from server.adapters.stream.query_calls import MIN_CALLS, is_queryable
from server.adapters.stream.query_gate import FEW, QueryGate
from server.adapters.stream.responses import Response
from server.adapters.stream.single_requests import SingleRequests
from server.adapters.stream.wire import StreamCall
from server.config.stream import StreamSettings
from server.runtime.tasks import wait_for_end


class Requests:
    """The requests under way, each a task that ends its fetches; they belong to no caller.

    A request is aborted when its response could no longer be used, and one for many as soon as no caller
    would wait for it any longer, if one does. If that fails, what callers wait for is requested call by
    call. If its response is of no use, perhaps for one call, all are requested anew by tens.
    """

    def __init__(
        self,
        stream: Stream,
        on_responses: Callable[[Mapping[StreamCall, Response]], None],
        settings: StreamSettings,
        clock: Callable[[], float],
    ) -> None:
        """Take what is called with responses, before the fetches end that they are for."""
        self._stream = stream
        self._on_responses = on_responses
        self._clock = clock
        self._gate = Gate(settings, clock)
        self._query_gate = QueryGate(settings, clock)
        self._asked_alone = AskedAlone(settings.max_concurrent_requests, clock)
        timeout = settings.request_timeout_ms / 1000
        self._single = SingleRequests(stream, self._gate, timeout)
        self._bulk = BulkRequests(
            stream,
            self._gate,
            self._query_gate,
            timeout=timeout,
            awaited_timeout=settings.timeout_ms / 1000,
        )
        self._max_requests = settings.max_concurrent_requests
        self._tasks: set[asyncio.Task[None]] = set()
        IN_FLIGHT.set_function(lambda: len(self._tasks))
        BREAKER_OPEN.set_function(lambda: self._gate.is_open)
        BULK_OPEN.set_function(lambda: self._query_gate.is_open)

    @property
    def max_together(self) -> int:
        """How many calls may share a request now; 1 if none may."""
        return 1 if self._gate.is_open else self._query_gate.max_calls

    @property
    def refuses_all(self) -> bool:
        """Whether no call may be requested now, but one that probes."""
        return self._gate.refuses_all

    def send(self, fetches: Sequence[Fetch]) -> bool:
        """Send as few requests as possible for fetches; end at once those that are not permitted.

        Return whether any was sent.
        """
        under_way = len(self._tasks)
        for group in self._group(fetches):
            # Asked each time: only one may go out that tries whether bulk works again.
            if len(group) > 1 and self.max_together > 1:
                self._send_together(group)
            else:
                for fetch in group:
                    self._send_one(fetch)
        return len(self._tasks) > under_way

    async def aclose(self) -> None:
        """Cancel all requests, and close the connections to Stream."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await wait_for_end(tasks, "requests to Stream")
        await self._stream.aclose()

    def _group(self, fetches: Sequence[Fetch]) -> Iterator[Sequence[Fetch]]:
        """Group fetches by the requests that they may share; the largest groups have precedence."""
        most = self.max_together
        together = [fetch for fetch in fetches if most > 1 and self._may_share(fetch.call)]
        for start in range(0, len(together), most):
            yield together[start : start + most]
        alone = set(fetches).difference(together)
        yield from ([fetch] for fetch in fetches if fetch in alone)

    def _may_share(self, call: StreamCall) -> bool:
        """Return whether others may depend on the call: one that failed could make them fail as well."""
        return is_queryable(call) and not self._gate.suspects(call) and call not in self._asked_alone

    def _send_together(self, fetches: Sequence[Fetch]) -> None:
        permitted = [fetch for fetch in fetches if self._permits(fetch)]
        if len(permitted) == 1:
            self._start_one(permitted[0])
        elif permitted:
            is_probe = self._query_gate.record_start()
            _mark_begin(permitted)
            # In a context of its own: it belongs to no request, and logs none's id.
            self._start(self._request_many(permitted, self._clock(), is_probe=is_probe), Context())

    def _send_one(self, fetch: Fetch) -> None:
        if self._permits(fetch):
            self._start_one(fetch)

    def _permits(self, fetch: Fetch) -> bool:
        """Note the start of a fetch's request, or end the fetch; another worker may have, meanwhile."""
        if fetch.future.done():
            return False
        if refusal := self._refusal(fetch.call):
            fetch.end(refusal)
            return False
        self._gate.record_start(fetch.call)
        return True

    def _refusal(self, call: StreamCall) -> NullReason | None:
        if len(self._tasks) >= self._max_requests:
            return NullReason.TOO_MANY_REQUESTS
        if not self._gate.permits(call):
            return NullReason.RATE_LIMITED if self._gate.is_silent else NullReason.BREAKER_OPEN
        return None

    def _start_one(self, fetch: Fetch) -> None:
        self._start(self._request_one(fetch, self._clock()), fetch.context)

    def _start(self, request: Coroutine[None, None, None], context: Context) -> None:
        task = asyncio.create_task(request, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _request_one(self, fetch: Fetch, requested_at: float) -> None:
        status = await self._single.fetch(fetch.call)
        failure = status if isinstance(status, NullReason) else None
        if self._gate.suspects(fetch.call):
            self._asked_alone.note_failure(fetch.call)
        record_request(Endpoint.GET_CALL, failure, self._clock() - requested_at)
        self._respond([fetch], {fetch.call: Response(requested_at, status)})

    async def _request_many(
        self, fetches: Sequence[Fetch], requested_at: float, *, is_probe: bool
    ) -> None:
        CALLS_PER_QUERY.observe(len(fetches))
        calls, is_awaited = [each.call for each in fetches], any(each.is_awaited for each in fetches)
        statuses = await self._bulk.fetch(calls, is_awaited=is_awaited, is_probe=is_probe)
        failure = statuses.reason if isinstance(statuses, Failure) else None
        record_request(Endpoint.QUERY_CALLS, failure, self._clock() - requested_at)
        if isinstance(statuses, Failure):
            # It is over: one of those that follow may have its place.
            self._tasks -= {asyncio.current_task()}
            self._go_on(fetches, statuses, is_probe=is_probe)
            return
        responses = {call: Response(requested_at, status) for call, status in statuses.items()}
        self._respond(fetches, responses)

    def _go_on(self, fetches: Sequence[Fetch], failure: Failure, *, is_probe: bool) -> None:
        """Request anew what callers wait for; what was to be renewed is known until its time is over."""
        if failure.useless and (is_probe or self.max_together > 1):
            if len(fetches) > FEW:
                self._send_by_few(fetches)
                return
            self._have_asked_alone(fetches, failure.useless)
        for fetch in fetches:
            if not fetch.is_awaited:
                fetch.end(failure.reason)
        awaited = [fetch for fetch in fetches if fetch.is_awaited]
        if len(fetches) > MIN_CALLS:
            self.send(awaited)
            return
        # Two that are too large together would be so again.
        for fetch in awaited:
            self._send_one(fetch)

    def _send_by_few(self, fetches: Sequence[Fetch]) -> None:
        for start in range(0, len(fetches), FEW):
            self._send_together(fetches[start : start + FEW])

    def _have_asked_alone(self, fetches: Sequence[Fetch], reason: str) -> None:
        """Keep calls from being requested with others for a while; if they are too many, so are all."""
        if not self._asked_alone.add([fetch.call for fetch in fetches], reason):
            self._query_gate.record_failure(reason, len(fetches))

    def _respond(self, fetches: Sequence[Fetch], responses: Mapping[StreamCall, Response]) -> None:
        self._on_responses(responses)
        for fetch in fetches:
            fetch.end(responses[fetch.call])


def _mark_begin(fetches: Sequence[Fetch]) -> None:
    """Mark the begin of a request for many in the spans of those that wait, by which they are found."""
    batch: dict[str, str | int] = {
        "livecalls.batch.id": f"{getrandbits(64):016x}",
        "livecalls.batch.keys": len(fetches),
    }
    for fetch in fetches:
        for span in fetch.traced:
            span.mark("the request begins", batch)
