"""Remembers the calls that make a response for many of no use, though alone they may be readable."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from server.adapters.stream.wire import StreamCall

log = logging.getLogger("server.stream")

_SECONDS = 60.0


class _Few(NamedTuple):
    calls: Sequence[StreamCall]
    until: float


class AskedAlone:
    """The calls that have been of a few whose response together was of no use, for a minute.

    Which of them was why is not known, so that all are requested alone, and all others go on together.
    If it fails alone as well, the rest of the few are as all others again.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        """Take how many there may be: as many as there may be requests, for all may be due at once."""
        self._most = most
        self._clock = clock
        self._few: dict[StreamCall, _Few] = {}

    def __contains__(self, call: StreamCall) -> bool:
        few = self._few.get(call)
        return few is not None and self._clock() < few.until

    def add(self, calls: Sequence[StreamCall], reason: str) -> bool:
        """Have calls requested alone from now on; return whether there is room for them."""
        now = self._clock()
        known = {call: few for call, few in self._few.items() if now < few.until}
        few = _Few(calls, now + _SECONDS)
        known |= dict.fromkeys(calls, few)
        if len(known) > self._most:
            return False
        self._few = known
        about = {"reason": reason, "calls": len(calls), "for_s": _SECONDS}
        log.warning("stream is asked for some calls alone", extra=about)
        return True

    def note_failure(self, call: StreamCall) -> None:
        """Note that a call has failed alone."""
        few = self._few.get(call)
        for other in few.calls if few else ():
            if other != call and self._few.get(other) is few:
                del self._few[other]
