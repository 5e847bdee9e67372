"""The embedded PostgreSQL as a part of the demo, which a supervisor starts again."""

import asyncio
import subprocess
from collections.abc import Mapping

from demo.postgres import EmbeddedPostgres

_LOOK_SECONDS = 0.5


class PostgresPart:
    """A PostgreSQL that runs already, for the migrations; an implementation of ChildSpec.

    Migrations and tests use it without an event loop, so EmbeddedPostgres starts and stops it; of
    asyncio's there is only what watches it.
    """

    ready_within = 0.0

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres

    async def start(self, *, takes_over: bool = False) -> "_Running":  # noqa: ARG002 - it replaces none
        """Start it if it does not run, and wait until it accepts connections.

        Raises PostgresFailedError.
        """
        # Not in another thread: the system would end PostgreSQL together with that.
        return _Running(self._postgres.ensure_running())


class _Running:
    name: Mapping[str, object] = {"part": "database"}

    def __init__(self, postmaster: subprocess.Popen[bytes]) -> None:
        self.process = _Watched(postmaster)

    async def wait_ready(self) -> None:
        """Return at once: it was ready when it had started."""

    async def wait_unhealthy(self) -> None:
        """Wait forever: one that does not serve well ends, or is for people to look at."""
        await asyncio.Event().wait()

    async def end(self) -> None:
        """Leave it to who opened it, once all who use it have ended."""

    async def drain(self) -> None:
        await self.end()


class _Watched:
    """The end of a process that asyncio has not started, as asyncio has it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    async def wait(self) -> int:
        while (code := self.returncode) is None:  # noqa: ASYNC110 - nobody else reports it
            await asyncio.sleep(_LOOK_SECONDS)
        return code
