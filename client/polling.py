"""Polls a call, through outages too."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from client.caller import UnavailableError


class Snapshot(NamedTuple):
    """The newest JSON of a call, when it was received, and why there is nothing newer, in an outage."""

    text: str
    seen_at: datetime
    outage: str | None = None


def poll(ask: Callable[[], str], seconds: float) -> Iterator[Snapshot]:
    """Poll, so many seconds after each response; an outage is returned, not raised.

    Raises any other error, and an outage the first time: then the address is wrong rather than the
    service unavailable.
    """
    snapshot = Snapshot(ask(), _now())
    while True:
        yield snapshot
        time.sleep(seconds)
        try:
            snapshot = Snapshot(ask(), _now())
        except UnavailableError as error:
            snapshot = snapshot._replace(outage=str(error))


def _now() -> datetime:
    return datetime.now(UTC)
