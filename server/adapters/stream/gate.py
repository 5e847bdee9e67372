"""Decides whether a call may be requested from Stream, from how earlier requests ended."""

import logging
from collections import OrderedDict
from collections.abc import Callable

from server.adapters.stream.wire import StreamCall
from server.config.stream import StreamSettings
from server.resilience.breaker import Breaker

log = logging.getLogger("server.stream")

_CALL_FAILURES = 3
_MAX_CALLS = 10_000
"""Failing calls kept at most, never 1 KB each: `wire` bounds the names that are requested."""
_PAUSE_UNLESS_SAID = 5
_MIN_PAUSE = 1
_MAX_PAUSE = 60


class Gate:
    """Breakers at three levels, each only as wide as what is known to be wrong.

    - A call whose requests failed three times in a row is not requested for the open time, then
      probed by one request; other calls are requested as ever.
    - Stream as a whole gets no requests for the open time once the configured number of *different*
      calls have failed with no success of any call between them, so that one bad call, however
      often it is polled, cannot cut off the others. Then one request probes it; a call whose probe
      has just failed leaves the next probe to others for one more open time.
    - After a 429 nothing is requested for as long as Stream specifies, at least 1 s and at most 60 s;
      for 5 s if it specifies nothing.

    A call that Stream does not know is a success. A request that Stream rejects (400) counts
    against its call alone. A 429 is no failure.
    """

    def __init__(self, settings: StreamSettings, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._open_for = settings.breaker_open_ms / 1000
        self._failures = settings.breaker_failures
        self._service = Breaker(self._failures, self._open_for, clock)
        self._failing: set[StreamCall] = set()
        self._last_probe: StreamCall | None = None
        self._calls: OrderedDict[StreamCall, Breaker] = OrderedDict()
        self._silent_until = clock()

    @property
    def is_open(self) -> bool:
        """Whether the breaker of all calls is open."""
        return self._service.is_open

    @property
    def is_silent(self) -> bool:
        """Whether nothing is requested because of a rate limit."""
        return self._clock() < self._silent_until

    @property
    def refuses_all(self) -> bool:
        """Whether no call may be requested now, but one that probes."""
        return self.is_silent or self.is_open

    def suspects(self, call: StreamCall) -> bool:
        """Return whether the call's last request failed."""
        return call in self._calls

    def permits(self, call: StreamCall) -> bool:
        """Return whether the call may be requested now."""
        breaker = self._calls.get(call)
        return (
            not self.is_silent
            and self._service.permits(after=self._open_for if call == self._last_probe else 0)
            and (breaker is None or breaker.permits())
        )

    def record_start(self, call: StreamCall) -> None:
        """Note a request under way; exactly one of the methods below ends it."""
        if self._service.is_open:
            self._last_probe = call
        self._service.record_start()
        if breaker := self._calls.get(call):
            breaker.record_start()

    def record_response(self, call: StreamCall) -> None:
        """Note a response: Stream is healthy, and so is the call."""
        self._calls.pop(call, None)
        self._failing.clear()
        self._last_probe = None
        if self._service.is_open:
            log.info("stream breaker closed")
        self._service.record_success()

    def record_failure(self, call: StreamCall) -> None:
        """Note a failure that may be Stream's own."""
        self._count_against(call)
        was_open = self._service.is_open
        if was_open or call not in self._failing:
            self._service.record_failure()
        if not was_open:
            self._failing.add(call)
            if self._service.is_open:
                log.warning("stream breaker opened", extra={"retry_in_s": self._open_for})

    def record_rejection(self, call: StreamCall) -> None:
        """Note a failure of the call's own."""
        self._service.release()
        self._count_against(call)

    def record_nothing(self, call: StreamCall) -> None:
        """Note the end of a request that is no evidence, neither of the call nor of Stream."""
        self._service.release()
        if breaker := self._calls.get(call):
            breaker.release()

    def record_rate_limit(self, call: StreamCall, seconds: int | None) -> None:
        """Note a rate limit, for so many seconds if Stream specifies them."""
        pause = _PAUSE_UNLESS_SAID if seconds is None else seconds
        pause = min(max(pause, _MIN_PAUSE), _MAX_PAUSE)
        if not self.is_silent:
            log.warning("stream rate limit reached", extra={"retry_in_s": pause})
        self._silent_until = max(self._silent_until, self._clock() + pause)
        self.record_nothing(call)

    def _count_against(self, call: StreamCall) -> None:
        breaker = self._calls.setdefault(call, Breaker(_CALL_FAILURES, self._open_for, self._clock))
        self._calls.move_to_end(call)
        if len(self._calls) > _MAX_CALLS:
            self._calls.popitem(last=False)
        was_open = breaker.is_open
        breaker.record_failure()
        if breaker.is_open and not was_open:
            log.warning("stream breaker opened for one call", extra=_fields_of(call))


def _fields_of(call: StreamCall) -> dict[str, str]:
    return {"stream_call_type": call[0], "stream_call_id": call[1]}
