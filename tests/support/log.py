"""What the server logs, which may be a moment after the caller has its answer."""

import asyncio
from typing import Any

import pytest


async def the_one(caplog: pytest.LogCaptureFixture, name: str) -> dict[str, Any]:
    """Wait for the one line of a logger."""
    async with asyncio.timeout(5):
        while not (lines := [vars(line) for line in caplog.records if line.name == name]):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.005)
    (line,) = lines
    return line
