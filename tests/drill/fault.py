"""A fault, and what is recorded of it: the load goes on before, while and after it lasts."""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from demo.readiness import wait_until
from tests.drill.accounting import FAILED, Ledger, Outcome, Refusals, Verdict, WayIn
from tests.drill.callers import calling
from tests.drill.load import steady_load
from tests.drill.world import World

_STREAK = 15
"""So many good answers in a row, on each way in, show that all is well; of a lighter load, fewer."""
_LIGHTER = 4
"""A short drill's load is so many times lighter."""
_CALM_WITHIN_SECONDS = 60.0
_ALERTS_WITHIN_SECONDS = 120.0

Inflict = Callable[[World], AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """What is broken, for how long, and what callers may be refused with meanwhile."""

    name: str
    inflict: Inflict
    """Breaks it as the block begins, and mends its cause, if it has one, as the block ends."""
    seconds: float = 2.0
    refusals: Refusals = field(default_factory=dict)
    felt: Collection[Outcome] = ()
    """One of these must be seen, or the fault has broken nothing."""
    heals_within: float = 60.0
    per_second: float = 120.0
    quick: bool = True
    """Whether it is part of a short drill."""
    needs_load: bool = False
    """Whether it breaks nothing under the lighter load of a short drill."""
    alerts: Sequence[str] = ()
    """It goes on until these have fired."""

    @property
    def lighter(self) -> int:
        """How many times lighter its load may be: only who asks then notices what is over at once."""
        return 1 if self.needs_load or not self.seconds else _LIGHTER


@dataclass(frozen=True)
class Result:
    """What callers saw of a fault, and how long it took to heal after its cause was gone."""

    fault: Fault
    ledger: Ledger
    healed_after: float | None
    alerts: Collection[str] = ()
    """Those that have fired from its beginning until all was well again."""

    def complaints(self) -> Iterator[str]:
        """Describe all that is not as it must be."""
        name = self.fault.name
        if self.healed_after is None:
            yield f"{name}: not well again within {self.fault.heals_within:.0f} s"
        if self.fault.felt and not set(self.fault.felt) & self.ledger.outcomes().keys():
            yield f"{name} was not felt: no {' or '.join(self.fault.felt)}"
        for alert in set(self.fault.alerts).difference(self.alerts):
            yield f"{name}: {alert} has not fired"
        yield from (f"{name}: {failure}" for failure in self.ledger.failures())

    @property
    def failed(self) -> int:
        """The number of requests that were wrong, hung or lost."""
        verdicts = self.ledger.verdicts()
        return sum(verdicts[each] for each in FAILED)

    @property
    def right(self) -> int:
        return self.ledger.verdicts()[Verdict.RIGHT]


async def drill(world: World, fault: Fault, *, quick: bool) -> Result:
    """Inflict a fault on a world under load; return what became of every request.

    The alerts may be those of the fault before, in a short drill of one that need not fire any.
    """
    lighter = fault.lighter if quick else 1
    ways_in = world.addresses
    ledger = Ledger({way_in: fault.refusals.get(way_in, frozenset()) for way_in in ways_in})
    rates = {way_in: fault.per_second / lighter * share for way_in, share in world.shares.items()}
    ids = [row.id for row in world.truth.rows]
    async with (
        calling(world) as callers,
        steady_load(callers.ask, ledger, rates, ids),
    ):
        now = asyncio.get_running_loop().time()
        if await _well_since(ledger, now, lighter, _CALM_WITHIN_SECONDS) is None:
            raise AssertionError(f"{fault.name}: all is not well before it: {ledger.outcomes()}")
        # Others answer for a worker that the fault before has killed: a second kill would leave none.
        await _wait_until(world.is_served_by_all, world, _CALM_WITHIN_SECONDS)
        if fault.alerts or not quick:
            await _wait_until(world.prometheus.is_quiet, world, _CALM_WITHIN_SECONDS)
        began = time.time()
        await _inflict(fault, world)
        over = asyncio.get_running_loop().time()
        well = await _well_since(ledger, over, lighter, fault.heals_within)
    alerts = world.prometheus.fired_since(began)
    return Result(fault, ledger, None if well is None else well - over, alerts)


async def _wait_until(condition: Callable[[], bool], world: World, seconds: float) -> None:
    waiting = partial(wait_until, condition, seconds)
    await asyncio.get_running_loop().run_in_executor(world.hand, waiting)


async def _inflict(fault: Fault, world: World) -> None:
    """Inflict it in another thread: the load goes on in this one."""
    block = fault.inflict(world)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(world.hand, block.__enter__)
    try:
        await asyncio.sleep(fault.seconds)
        await _wait_until(partial(_alerted, fault, world), world, _ALERTS_WITHIN_SECONDS)
    finally:
        await loop.run_in_executor(world.hand, block.__exit__, None, None, None)


def _alerted(fault: Fault, world: World) -> bool:
    return not fault.alerts or world.prometheus.firing().issuperset(fault.alerts)


async def _well_since(ledger: Ledger, moment: float, lighter: int, within: float) -> float | None:
    """Wait until all ways in are well; return since when they are, or None if that takes too long."""
    deadline = asyncio.get_running_loop().time() + within
    while (well := ledger.well_since(moment, _STREAK // lighter)) is None:
        if asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(0.05)
    return well


def on_all_ways(*outcomes: Outcome) -> Refusals:
    """Let callers be refused with these, however they come."""
    return dict.fromkeys(WayIn, frozenset(outcomes))
