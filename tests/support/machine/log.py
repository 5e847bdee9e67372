"""The server's log lines, which may come shortly after the caller's response."""

import asyncio
from typing import Any

import pytest


async def the_one(caplog: pytest.LogCaptureFixture, name: str) -> dict[str, Any]:
    """Wait for the one line of a logger."""
    async with asyncio.timeout(5):
        while not (lines := [vars(line) for line in caplog.records if line.name == name]):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)
    (line,) = lines
    return line
