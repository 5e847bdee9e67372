"""Polls a call, through outages too."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from client.caller import UnavailableError


class Sight(NamedTuple):
    """The newest JSON of a call, when it was received, and why there is nothing newer, in an outage."""

    text: str
    seen_at: datetime
    outage: str | None = None


def sights(ask: Callable[[], str], seconds: float) -> Iterator[Sight]:
    """Poll, so many seconds after each response; an outage is returned, not raised.

    Raises any other error, and an outage the first time: then the address is wrong rather than the
    service unavailable.
    """
    sight = Sight(ask(), _now())
    while True:
        yield sight
        time.sleep(seconds)
        try:
            sight = Sight(ask(), _now())
        except UnavailableError as error:
            sight = sight._replace(outage=str(error))


def _now() -> datetime:
    return datetime.now(UTC)
