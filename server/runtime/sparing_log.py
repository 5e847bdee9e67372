"""Rate limits the log of faults that may occur with every read, so that they do not fill the disk."""

import logging
from collections.abc import Callable
from time import monotonic

SILENCE_SECONDS = 1.0
"""How long a kind of fault is not logged again."""

MAX_KINDS = 100
"""Kinds of faults that are logged in that time; more are suppressed, as for unreadable rows."""


class SparingLog:
    """Logs each kind of fault once a second at most; the next line counts those that were suppressed."""

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = monotonic) -> None:
        self._log = log
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}

    def write(self, level: int, message: str, **extra: object) -> None:
        """Log a fault; its kind is the message and all that goes with it."""
        key = (message, *extra.values())
        kind = self._kinds.get(key)
        now = self._clock()
        if kind and now < kind.silent_until:
            kind.suppressed += 1
            return
        if not kind and not self._has_room(now):
            return
        if kind and kind.suppressed:
            extra["suppressed"] = kind.suppressed
        self._kinds[key] = _Kind(now + SILENCE_SECONDS)
        self._log.log(level, message, extra=extra)

    def _has_room(self, now: float) -> bool:
        if len(self._kinds) >= MAX_KINDS:
            self._kinds = {key: kind for key, kind in self._kinds.items() if now < kind.silent_until}
        return len(self._kinds) < MAX_KINDS


class _Kind:
    """Until when a kind of fault is not logged, and how often it was suppressed."""

    __slots__ = ("silent_until", "suppressed")

    def __init__(self, silent_until: float) -> None:
        self.silent_until = silent_until
        self.suppressed = 0
