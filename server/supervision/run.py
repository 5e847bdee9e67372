"""A process that is kept: what is known of it, and how it is ended."""

from asyncio import timeout
from asyncio.subprocess import Process
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol


class Run(Protocol):
    """A process under way."""

    @property
    def name(self) -> Mapping[str, object]:
        """What log lines call it by."""
        ...

    @property
    def process(self) -> Process: ...

    async def serves(self) -> None:
        """Return once it serves."""
        ...

    async def ails(self) -> None:
        """Return where it must be replaced, though it has not ended."""
        ...

    async def end(self) -> None:
        """End it with its grace, if it has not ended yet."""
        ...

    async def give_way(self) -> None:
        """End it so that nobody notices, another having taken its place."""
        ...


class Kept(Protocol):
    """What can be started again and again."""

    async def start(self) -> Run:
        """Start it, perhaps while the one before still serves."""
        ...


async def terminate(process: Process, within: float) -> None:
    """Ask a process to end, and kill it where it has not after so many seconds."""
    with suppress(ProcessLookupError):  # it has ended
        process.terminate()
    try:
        async with timeout(within):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
