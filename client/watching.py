"""Asks again and again, through outages too."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from client.caller import UnavailableError


class Sight(NamedTuple):
    """The newest JSON of a call, when it was seen, and why nothing newer is, where that is so."""

    text: str
    seen_at: datetime
    outage: str | None = None


def sights(ask: Callable[[], str], seconds: float) -> Iterator[Sight]:
    """Ask, and again so many seconds after each answer; an outage is told, not raised.

    Raises what asking raises otherwise, and what it raises the first time: then the address is wrong
    rather than the service away.
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
