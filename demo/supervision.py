"""Supervises the demo's parts: starts them, restarts what died, ends them all."""

import asyncio
import signal
from collections.abc import Iterable, Sequence
from typing import NoReturn

from demo.error import DemoError
from demo.folders import DATA
from demo.part import Part
from demo.postgres import EmbeddedPostgres
from demo.postgres_part import PostgresPart
from demo.restarts import restarts_printed
from server.supervision.child import CannotStartError, Child
from server.supervision.child_process import ChildSpec
from server.supervision.supervisor import run_until

READY_WITHIN_SECONDS = 30.0
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def supervise_parts(
    parts: Sequence[Part], postgres: EmbeddedPostgres | None, welcome: str
) -> None:
    """Supervise parts, and a PostgreSQL that runs, until a signal; print a welcome once all serve.

    Raises DemoError if a part ends without having served or not all serve in time, and
    PostgresFailedError if PostgreSQL died and cannot be restarted.
    """
    children = {part: _child(part) for part in parts}
    runs = [_run(part, children) for part in parts]
    watched = [_child(PostgresPart(postgres)).run()] if postgres else []
    with restarts_printed():
        await run_until(_ENDINGS, _greet(children.values(), welcome), *watched, *runs)


def _child(spec: ChildSpec) -> Child:
    return Child(spec, ask=lambda _: None)  # none of them is replaced


async def _run(part: Part, children: dict[Part, Child]) -> NoReturn:
    try:
        await children[part].run(after=children[part.after].served if part.after else None)
    except CannotStartError:
        raise DemoError(f"The {part.name} ended at once; see {part.log or 'above'}") from None


async def _greet(children: Iterable[Child], welcome: str) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_SECONDS):
            await asyncio.gather(*(child.served.wait() for child in children))
    except TimeoutError:
        raise DemoError(
            f"Not all of it answers after {READY_WITHIN_SECONDS:.0f} s; see {DATA}/*.log"
        ) from None
    print(welcome, flush=True)  # noqa: T201 - the demo speaks to people
    await asyncio.Event().wait()
