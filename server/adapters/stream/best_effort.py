"""Gets the live status of a call from Stream, best effort and by as few requests as possible."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from server.adapters.stream.fetch import Fetch
from server.adapters.stream.gatherer import Gatherer
from server.adapters.stream.metrics import AGES, CACHED, FETCHED, SHARED, NullReason, record_null
from server.adapters.stream.ports import Stream
from server.adapters.stream.renewals import Renewals
from server.adapters.stream.requests import Requests
from server.adapters.stream.responses import RENEWALS, Response, Responses
from server.adapters.stream.siblings import Siblings
from server.adapters.stream.unaddressable import UnaddressableCalls
from server.adapters.stream.wire import StreamCall, is_addressable
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.runtime import tracing
from server.runtime.instruments import Count

_RESERVE = 0.05
"""Seconds of a caller's deadline that are reserved for the reply itself."""


class BestEffort:
    """The cached response, else that of the fetch under way, else of a new one if that is permitted.

    A response's age counts from when its request was sent, so that nothing is returned that is older
    than the cache's TTL. Failures are cached as long as successes. A status that is read from the cache
    is renewed before its time is over, so that callers of a call that many want never wait for Stream,
    and a few times more, for those who come at random. Renewals share requests with callers' fetches.
    Stream is asked for a call once in 0.4 of the TTL at most, and again if a request for many fails.
    """

    def __init__(
        self,
        stream: Stream,
        settings: StreamSettings,
        clock: Callable[[], float] = time.monotonic,
        siblings: Siblings | None = None,
    ) -> None:
        self._clock = clock
        self._timeout = settings.timeout_ms / 1000
        self._unaddressable = UnaddressableCalls()
        self._responses = Responses(settings.cache_ttl_ms / 1000, clock)
        self._requests = Requests(stream, self._keep_responses, settings, clock)
        self._gatherer = Gatherer(self._send_with_due)
        self._renewals = Renewals(
            settings.cache_ttl_ms / 1000,
            clock,
            self._is_due,
            self._renew,
            lambda: self._requests.max_together,
        )
        self._fetches: dict[StreamCall, Fetch] = {}
        self._siblings = siblings
        if siblings:
            siblings.listen(self._leave_to_sibling, self._take_from_sibling)

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Return a call's live status within so many seconds, None if it is not known; never raise."""
        call = (stream_call_type, stream_call_id)
        known = self._responses.get(call)
        if known is not None:
            if known.renewals < RENEWALS:
                self._have_renewed(call, known)
            return self._count(known, CACHED)
        outcome = SHARED if call in self._fetches else FETCHED
        with tracing.span("wait for Stream") as span:
            span.set("livecalls.stream.shared", outcome is SHARED)
            response = await self._wait_for(call, min(self._timeout, within - _RESERVE))
        return self._count(response, outcome)

    async def aclose(self) -> None:
        """Cancel all requests, and close the connections to Stream."""
        if self._siblings:
            self._siblings.close()
        self._renewals.stop()
        self._gatherer.stop()
        for fetch in list(self._fetches.values()):
            fetch.end(NullReason.TIMEOUT)
        await self._requests.aclose()

    async def _wait_for(self, call: StreamCall, seconds: float) -> Response | NullReason:
        if seconds <= 0:
            return NullReason.DEADLINE
        if not is_addressable(*call):
            self._unaddressable.note(*call)
            return NullReason.UNADDRESSABLE
        fetch = self._fetches.get(call) or self._begin(call)
        fetch.join()
        await asyncio.wait((fetch.future,), timeout=seconds)
        return fetch.future.result() if fetch.future.done() else NullReason.TIMEOUT

    def _begin(self, call: StreamCall) -> Fetch:
        fetch = Fetch.for_caller(call, is_polled=self._responses.is_polled(call))
        self._send(self._keep_fetch(fetch))
        return fetch

    def _have_renewed(self, call: StreamCall, response: Response, times: int = RENEWALS) -> None:
        """Have a response renewed, and so many times in all though nobody may read it."""
        if isinstance(response.status, LiveStatus) and times > response.renewals:
            if not response.renewals:
                self._renewals.add(call, response.requested_at)
            response.renewals = times

    def _renew(self, calls: Sequence[StreamCall]) -> None:
        for fetch in self._begin_renewals(calls):
            self._send(fetch)

    def _begin_renewals(self, calls: Sequence[StreamCall]) -> list[Fetch]:
        # Else others would leave to this worker what it may not do.
        if self._siblings and not self._requests.refuses_all:
            self._siblings.say_renewing(calls)
        return [self._keep_fetch(Fetch.for_renewal(call)) for call in calls]

    def _send_with_due(self, fetches: Sequence[Fetch]) -> bool:
        """Send fetches, and with them what is soon to be renewed: that needs no request of its own."""
        due = self._renewals.take(self._requests.max_together - len(fetches))
        return self._requests.send([*fetches, *self._begin_renewals(due)])

    def _is_due(self, call: StreamCall, requested_at: float) -> bool:
        """Return whether a response is still the last, and to be renewed by this worker."""
        known = self._responses.last(call)
        if known is None or known.requested_at != requested_at or known.is_renewed_elsewhere:
            return False
        return call not in self._fetches

    def _leave_to_sibling(self, calls: Iterable[StreamCall]) -> None:
        for call in calls:
            if known := self._responses.get(call):
                known.is_renewed_elsewhere = True

    def _take_from_sibling(self, call: StreamCall, response: Response) -> None:
        self._keep_response(call, response)
        if (fetch := self._fetches.get(call)) and self._responses.get(call) is response:
            fetch.end(response)

    def _keep_responses(self, responses: Mapping[StreamCall, Response]) -> None:
        for call, response in responses.items():
            self._keep_response(call, response)
            if (fetch := self._fetches.get(call)) and fetch.is_polled:
                self._have_renewed(call, response)
        if self._siblings:
            self._siblings.say_responses(responses)

    def _keep_response(self, call: StreamCall, response: Response) -> None:
        """Keep a response, and have it renewed as often as the last was to be, but for this time."""
        last = self._responses.last(call)
        self._responses.put(call, response)
        if last is not None and self._responses.last(call) is response:
            self._have_renewed(call, response, last.renewals - 1)

    def _keep_fetch(self, fetch: Fetch) -> Fetch:
        """Keep a fetch while it lasts, for those who come meanwhile."""
        self._fetches[fetch.call] = fetch
        fetch.future.add_done_callback(lambda _: self._fetches.pop(fetch.call))
        return fetch

    def _send(self, fetch: Fetch) -> None:
        if self._requests.max_together > 1:
            self._gatherer.add(fetch)
        else:
            self._requests.send([fetch])

    def _count(self, response: Response | NullReason, outcome: Count) -> LiveStatus | None:
        """Return the status that a response has, and count it by its outcome, or by why it is null."""
        if isinstance(response, NullReason):
            record_null(response)
            return None
        if isinstance(response.status, NullReason):
            record_null(response.status)
            return None
        outcome.value += 1
        AGES.observe(self._clock() - response.requested_at)
        return response.status
