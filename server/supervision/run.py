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
        """Return once it serves: ready, or tired of waiting for its database."""
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

    @property
    def ready_within(self) -> float:
        """Seconds after which it serves though its database has not answered."""
        ...

    async def start(self, *, takes_over: bool) -> Run:
        """Start it; one that takes over must be ready, for the one before it still serves."""
        ...


def wait_for_database(*, takes_over: bool) -> Mapping[str, str]:
    """Make the settings by which one that takes over never tires of waiting for its database."""
    return {"DATABASE_READY_TIMEOUT_MS": "0"} if takes_over else {}


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
