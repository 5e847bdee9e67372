"""Finds out how stale what one way showed was, by what another showed at those times."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from server.application.call import LiveStatus


class Shown(NamedTuple):
    """A status, and the second from which on it was shown; None is that of a call that is not known."""

    at: float
    status: LiveStatus | None


class _Absence(NamedTuple):
    """The seconds in which a status was not shown."""

    left: float
    back: float


def max_staleness(checked: Sequence[Shown], fresh: Sequence[Shown], end: float) -> float:
    """Return for how many seconds at most one way showed what the fresh one had left behind.

    Both showed one status after the other, the last until the end. A way that was ahead is not stale.
    """
    return max(_stale_seconds(checked, fresh, end), default=0.0)


def _stale_seconds(checked: Sequence[Shown], fresh: Sequence[Shown], end: float) -> Iterator[float]:
    for number, (shown, following) in enumerate(pairwise([*checked, Shown(math.inf, None)])):
        until = following.at
        for left, back in _absences(shown.status, fresh, counts_before=number == 0):
            # To what was shown since before it left, the fresh one came back: the other has missed
            # what was between. To what was shown only since then it came late: the other was ahead.
            if left < until and (shown.at < left or until <= back):
                yield min(until, back, end) - left


def _absences(
    status: LiveStatus | None, fresh: Sequence[Shown], *, counts_before: bool
) -> Iterator[_Absence]:
    """Yield when the fresh way did not show a status after it had; if that counts, also before."""
    left = None
    has_shown = counts_before
    for shown in fresh:
        if shown.status == status:
            if left is not None:
                yield _Absence(left, shown.at)
            left, has_shown = None, True
        elif has_shown and left is None:
            left = shown.at
    if left is not None:
        yield _Absence(left, math.inf)
