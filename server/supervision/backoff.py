"""The backoff before a process that has ended is restarted."""

# A process that ran for so long was healthy: the next pause is the shortest again.
HEALTHY_SECONDS = 10.0
MIN_PAUSE, MAX_PAUSE = 0.5, 10.0


class Backoff:
    """The backoff of one process: the longer, the more often it ends."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, ran_seconds: float) -> float:
        """Return the pause after a run of so many seconds; none after a healthy one."""
        pause = 0.0 if ran_seconds >= HEALTHY_SECONDS else self._next
        self._next = min(max(2 * pause, MIN_PAUSE), MAX_PAUSE)
        return pause
