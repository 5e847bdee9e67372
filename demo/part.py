"""A part of the demo that is a program of this project, as a supervisor starts it again and again."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from machine.ending import pdeathsig_prefix, terminate

# Ctrl-C ends all of it within 5 s: the parts within 3, PostgreSQL after them.
_END_WITHIN_SECONDS = 3.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Part:
    """`python -m` with arguments and settings; an implementation of ChildSpec.

    A log takes all output, or all but the errors, which people see then.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    answers: Callable[[], bool]
    """Whether it serves; may take seconds to find out."""
    log: Path | None = None
    errors_shown: bool = False
    after: "Part | None" = None
    """The part that it calls as it starts, which must serve before."""
    ready_within: float = 0.0

    async def start(self, *, takes_over: bool = False) -> "_Running":  # noqa: ARG002 - it replaces none
        """Start it in a session of its own, so that Ctrl-C reaches the demo alone."""
        with self.log.open("ab") if self.log else nullcontext() as output:
            process = await asyncio.create_subprocess_exec(
                *pdeathsig_prefix("TERM"),
                *(sys.executable, "-m", *self.arguments),
                env=self.environment,
                stdin=DEVNULL,
                stdout=output,
                stderr=None if self.errors_shown else output,
                start_new_session=True,
            )
        return _Running(process, {"part": self.name}, self.answers)


@dataclass(frozen=True, eq=False)
class _Running:
    process: Process
    name: Mapping[str, object]
    answers: Callable[[], bool]

    async def wait_ready(self) -> None:
        while not await asyncio.to_thread(self.answers):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(_LOOK_SECONDS)

    async def wait_unhealthy(self) -> None:
        """Wait forever: one that does not serve well ends, or is for people to look at."""
        await asyncio.Event().wait()

    async def end(self) -> None:
        await terminate(self.process, _END_WITHIN_SECONDS)

    async def drain(self) -> None:
        await self.end()
