"""A circuit breaker: blocks requests to what keeps failing, and sends one probe at a time."""

from collections.abc import Callable


class Breaker:
    """Closed until so many failures in a row; then open, for so many seconds before each probe.

    The caller checks `permits`, calls `record_start`, and then one of `record_success`,
    `record_failure`, or `release` if the outcome is no evidence about what the breaker guards.
    """

    def __init__(self, failures: int, open_for: float, clock: Callable[[], float]) -> None:
        self._failures_allowed = failures
        self._open_for = open_for
        self._clock = clock
        self._failures = 0
        self._probe_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether it has opened and no success has closed it since."""
        return self._probe_at is not None

    def permits(self, *, after: float = 0) -> bool:
        """Return whether to go ahead; a probe that others may precede waits `after` seconds more."""
        if self._probe_at is None:
            return True
        return not self._probing and self._clock() >= self._probe_at + after

    def record_start(self) -> None:
        """Note that what was permitted has begun."""
        self._probing = self.is_open

    def record_success(self) -> None:
        """Close."""
        self._failures = 0
        self._probe_at = None
        self._probing = False

    def record_failure(self) -> None:
        """Count a failure; open if it is one too many, as every probe's is."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._failures_allowed:
            self._probe_at = self._clock() + self._open_for

    def release(self) -> None:
        """Let the next one be the probe, if this was it."""
        self._probing = False
