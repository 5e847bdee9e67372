"""A read that ends when a test lets it, and requests that share it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from server.store.batch_loader import BatchLoader

AGES = 5.0
MOMENT = 0.05


class ScriptedRead:
    """A read of numbers as words, that ends when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.cancelled = 0
        self._begun: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def __call__(self, keys: list[int]) -> Mapping[int, str]:
        self.asked.append(keys)
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._begun.put_nowait(gate)
        try:
            await gate
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return {key: str(key) for key in keys if key >= 0}

    async def begun(self) -> "asyncio.Future[None]":
        """Wait until the next read has begun; setting the result ends it."""
        async with asyncio.timeout(AGES):
            return await self._begun.get()


def shared(
    read: Any, *, max_in_flight: int = 1, within: float = AGES, max_keys: int = 1000
) -> BatchLoader[int, str]:
    return BatchLoader(read, max_in_flight=max_in_flight, within=within, max_keys=max_keys)


async def turn() -> None:
    """Let everything that is ready run once."""
    await asyncio.sleep(0)


class StubbornRead(ScriptedRead):
    """A read whose cancellation takes long, as the driver's does when PostgreSQL hangs."""

    async def __call__(self, keys: list[int]) -> Mapping[int, str]:
        try:
            return await super().__call__(keys)
        except asyncio.CancelledError:
            await asyncio.sleep(AGES)
            raise
