"""Metrics of the process itself."""

import asyncio
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from prometheus_client import Info

from server.runtime.instruments import Histogram

LAG_PERIOD_SECONDS = 0.25

BUILD = Info("livecalls_build", "Always 1; the labels are the versions of LiveCalls and of Python.")
LOOP_LAG = Histogram(
    "livecalls_event_loop_lag_seconds",
    f"How late the event loop calls a timer, measured every {LAG_PERIOD_SECONDS} s.",
)

_lag = LOOP_LAG.labels()


def describe_build() -> None:
    """Set the versions."""
    BUILD.info({"version": version("livecalls"), "python": platform.python_version()})


@asynccontextmanager
async def measure_lag() -> AsyncIterator[None]:
    """Measure the event loop's lag while the block lasts."""
    measuring = asyncio.create_task(_measure())
    try:
        yield
    finally:
        measuring.cancel()


async def _measure() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PERIOD_SECONDS
        await asyncio.sleep(LAG_PERIOD_SECONDS)
        _lag.observe(max(0.0, loop.time() - due))
