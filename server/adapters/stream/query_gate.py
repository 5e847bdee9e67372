"""Decides whether QueryCalls may be requested, and for how many calls at once."""

import logging
from collections.abc import Callable

from server.adapters.stream.query_calls import MAX_CALLS, MIN_CALLS
from server.config.stream import StreamSettings
from server.resilience.breaker import Breaker

log = logging.getLogger("server.stream")

FEW = 10
"""Calls among which one is found that spoils the response for more."""
_USELESS_IN_A_ROW = 5
"""Responses of no use, without one of use between them, that are not for single calls any more."""


class QueryGate:
    """Closed by the setting, and for the breaker's time once a request has failed.

    A response that is of no use may be so for one of its calls, and closes it only if others follow.
    Whatever is wrong with it, requests for single calls show what is wrong with Stream. The request that
    tries it again is for as few calls as possible: whoever waits for it may wait in vain. The number of
    calls is halved if a response is too large, or does not come, and grows again by one with each full
    one that does come.
    """

    def __init__(self, settings: StreamSettings, clock: Callable[[], float]) -> None:
        self._is_wanted = settings.bulk == "auto"
        self._open_for = settings.breaker_open_ms / 1000
        self._breaker = Breaker(1, self._open_for, clock)
        self._max_calls = MAX_CALLS
        self._clock = clock
        self._useless = 0
        self._useless_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the last one failed, and none has succeeded since."""
        return self._breaker.is_open

    @property
    def max_calls(self) -> int:
        """How many calls may be requested together now; 1 while they are requested one by one."""
        if not self._is_wanted or not self._breaker.permits():
            return 1
        return MIN_CALLS if self._breaker.is_open else self._max_calls

    def record_start(self) -> bool:
        """Note a request under way, and return whether it is a probe.

        One of the methods below ends it.
        """
        is_probe = self._breaker.is_open
        self._breaker.record_start()
        return is_probe

    def record_success(self, calls: int, *, is_probe: bool) -> None:
        """Note a response for so many calls."""
        self._useless = 0
        if calls == self._max_calls < MAX_CALLS:
            self._max_calls += 1
        # One that was sent before another failed proves nothing about what comes after.
        if is_probe:
            log.info("stream is asked for many calls at once again")
            self._breaker.record_success()

    def record_too_large(self, calls: int) -> None:
        """Note that a response for so many calls was too large."""
        self._judge_number(calls, few=MIN_CALLS)
        self._breaker.release()

    def record_useless(self, reason: str, calls: int) -> None:
        """Note a response for so many calls that is of no use, perhaps for one of them."""
        if self._clock() - self._useless_at > self._open_for:
            self._useless = 0  # it was long ago, and of other calls perhaps
        self._useless += 1
        self._useless_at = self._clock()
        self._judge_number(calls, few=FEW)
        if self._breaker.is_open or self._useless >= _USELESS_IN_A_ROW:
            self.record_failure(reason, calls)
        else:
            self._breaker.release()

    def record_failure(self, reason: str, calls: int) -> None:
        """Note a request for so many calls that failed, for whatever reason."""
        # That a small one fails is no reason to have smaller ones.
        if 2 * calls > self._max_calls:
            self._halve(calls)
        if not self._breaker.is_open:
            about = {"reason": reason, "retry_in_s": self._open_for}
            log.warning("stream is asked for each call alone", extra=about)
        self._breaker.record_failure()

    def release(self) -> None:
        """Note a request whose end is no evidence."""
        self._breaker.release()

    def _judge_number(self, calls: int, *, few: int) -> None:
        """Have fewer requested together, unless so few failed that it was for one of them."""
        if calls > few:
            self._halve(calls)
        else:
            self._max_calls = MAX_CALLS

    def _halve(self, calls: int) -> None:
        self._max_calls = min(self._max_calls, max(MIN_CALLS, calls // 2))
