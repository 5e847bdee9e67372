"""Compares what GetCall and QueryCalls of Stream show of one call over time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from statistics import median

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamRateLimitedError,
)
from server.application.call import LiveStatus
from server.commands.check_stream import MAX_SECONDS, describe_failure
from server.commands.errors import pluralize
from server.commands.finding import Finding
from server.commands.staleness import Shown, max_staleness

_MAX_FAILURES = 3
"""In a row: then a way cannot be asked."""


@dataclass
class Way:
    """One way to ask, and what came of it."""

    name: str
    fetch: Callable[[], Awaitable[LiveStatus]]
    shown: list[Shown] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    """Seconds, of each response."""
    errors: list[StreamError | TimeoutError] = field(default_factory=list)
    """Those since the last response."""
    failures: int = 0

    async def ask(self, at: float) -> bool:
        """Send a request at a second; return whether it shows another status than the one before."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(MAX_SECONDS):
                status = await self.fetch()
        except StreamCallNotFoundError:
            status = None
        except (StreamError, TimeoutError) as error:
            self.errors.append(error)
            self.failures += 1
            return False
        self.latencies.append(clock() - began)
        self.errors.clear()
        if self.shown and self.shown[-1].status == status:
            return False
        self.shown.append(Shown(at, status))
        return True

    @property
    def failure(self) -> StreamError | TimeoutError | None:
        """Why it cannot be asked, if it cannot."""
        if not self.errors:
            return None
        is_lasting = len(self.errors) >= _MAX_FAILURES or not self.shown
        error = self.errors[-1]
        return error if is_lasting or isinstance(error, StreamRateLimitedError) else None


class Comparison:
    """Two ways that are asked at the same times."""

    def __init__(self, get: Way, query: Way) -> None:
        self._get = get
        self._query = query
        self._end = 0.0
        self._longest_interval = 0.0

    async def ask(self, at: float) -> list[str]:
        """Ask both, so many seconds after the first time; return a line for each change."""
        self._longest_interval = max(self._longest_interval, at - self._end)
        self._end = at
        ways = (self._get, self._query)
        changed = await asyncio.gather(*(way.ask(at) for way in ways))
        return [
            f"{at:6.1f} s  {way.name:<10}  {_format(way.shown[-1].status)}"
            for way, has_changed in zip(ways, changed, strict=True)
            if has_changed
        ]

    def is_over(self, seconds: float) -> bool:
        """Return whether enough is known: after so many seconds, or twice as many if they differ."""
        if self._get.failure or self._query.failure:
            return True
        return self._end >= (2 * seconds if self._differ() else seconds)

    def describe_requests(self) -> str:
        """Describe how long the requests took, and how many failed."""
        return f"{'':10}median latency: {'; '.join(map(_describe, (self._get, self._query)))}"

    def find(self, cache_ttl: float) -> Finding:
        """Return what follows from it, if responses are used for so many seconds."""
        if self._get.failure:
            return Finding("FAIL", "GetCall", describe_failure(self._get.failure))
        if self._query.failure:
            return _finding_of_failure(self._query.failure)
        if self._differ():
            return Finding("FAIL", "QueryCalls", f"{self._difference()}: set STREAM_BULK=off")
        if all(it.status is None for it in self._get.shown):
            return Finding("FAIL", "call", "Stream knows no such call")
        return self._finding_of_freshness(cache_ttl)

    def _differ(self) -> bool:
        return self._get.shown[-1].status != self._query.shown[-1].status

    def _difference(self) -> str:
        """Describe in what the last statuses differ, and for how long."""
        get, query = self._get.shown[-1], self._query.shown[-1]
        seconds = self._end - max(get.at, query.at)
        if query.status is None:
            return f"knows no such call, for {seconds:.1f} s until the end"
        if get.status is None:
            return f"knows a call that GetCall does not, for {seconds:.1f} s until the end"
        other = asdict(query.status)
        names = [name for name, value in asdict(get.status).items() if value != other[name]]
        return f"differs from GetCall in {' and '.join(names)}, for {seconds:.1f} s until the end"

    def _finding_of_freshness(self, cache_ttl: float) -> Finding:
        changes = len(self._get.shown) - 1
        if late := max_staleness(self._query.shown, self._get.shown, self._end):
            # What GetCall showed first may have been so since just after it was asked before.
            late += self._longest_interval
            words = (
                f"shows changes up to {late:.1f} s later than GetCall, and so does `live` with "
                "STREAM_BULK=auto, but not with off"
            )
            return Finding("ok" if late <= cache_ttl else "FAIL", "QueryCalls", words)
        if changes == 0:
            words = "shows the same as GetCall, but nothing changed: change the call while this runs"
            return Finding("--", "QueryCalls", words)
        within = f"{pluralize(changes, 'change')} within {self._longest_interval:.1f} s of GetCall"
        return Finding("ok", "QueryCalls", f"shows {within}: STREAM_BULK=auto is as fresh as off")


def _finding_of_failure(error: StreamError | TimeoutError) -> Finding:
    """Return what follows if QueryCalls cannot be asked, while GetCall can."""
    words = describe_failure(error)
    if not isinstance(error, StreamRateLimitedError):
        words += "; STREAM_BULK=auto then asks for each call alone, and off does not even try"
    return Finding("FAIL", "QueryCalls", words)


def _format(status: LiveStatus | None) -> str:
    """Write a status as JSON's values, which can neither end the line nor move the cursor."""
    if status is None:
        return "no such call"
    fields = asdict(status).items()
    return ", ".join(f"{name} {json.dumps(it, default=_format_time)}" for name, it in fields)


def _format_time(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"


def _describe(way: Way) -> str:
    took = f"{median(way.latencies) * 1000:.0f} ms" if way.latencies else "none"
    failed = f", {way.failures} failed" if way.failures else ""
    return f"{way.name} {took} ({pluralize(len(way.latencies), 'response')}{failed})"
