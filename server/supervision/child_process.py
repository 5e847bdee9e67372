"""What a supervisor knows of a process, and of how to start it."""

from collections.abc import Mapping
from typing import Protocol


class Process(Protocol):
    """What asyncio's Process, and another that one waits for, has of its end."""

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


class ChildProcess(Protocol):
    """A process under way."""

    @property
    def name(self) -> Mapping[str, object]:
        """The fields that name it in log lines."""
        ...

    @property
    def process(self) -> Process: ...

    async def wait_ready(self) -> None:
        """Return once it serves: ready, or done waiting for its database."""
        ...

    async def wait_unhealthy(self) -> None:
        """Return once it is unhealthy and must be replaced, though it has not ended."""
        ...

    async def end(self) -> None:
        """End it with its grace, if it has not ended yet."""
        ...

    async def drain(self) -> None:
        """Drain and end it without failing a request: it has been replaced."""
        ...


class ChildSpec(Protocol):
    """What can be started again and again."""

    @property
    def ready_within(self) -> float:
        """Seconds after which it serves though its database has not responded."""
        ...

    async def start(self, *, takes_over: bool) -> ChildProcess:
        """Start it; a replacement must be ready, for the one before it still serves."""
        ...


def wait_for_database(*, takes_over: bool) -> Mapping[str, str]:
    """Return the settings by which a replacement waits for its database without limit."""
    return {"DATABASE_READY_TIMEOUT_MS": "0"} if takes_over else {}
