"""Stream: each behaviour of the stand-in. Whatever it does, every row is returned."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from demo.stream_stand_in.stand_in import Behaviour
from tests.drill.accounting import Outcome
from tests.drill.fault import Fault
from tests.drill.world import World
from tests.support.server.deployments import Deployment

_USABLE = {
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.CROWDED,
    Behaviour.DROPPED,
    Behaviour.DROPPED_BY_RESET,
}
"""Responses of which `live` can be made."""
_QUICK = {
    Behaviour.HANG,
    Behaviour.RESET,
    Behaviour.DROPPED,
    Behaviour.RATE_LIMITED,
    Behaviour.ERROR,
    Behaviour.OTHER_CALL,
    Behaviour.HUGE,
}
"""One of each kind."""
_ALERTS = {
    Behaviour.ERROR: ("LiveCallsLiveUnknown", "LiveCallsStreamBreakerOpen"),
    Behaviour.RATE_LIMITED: ("LiveCallsStreamRateLimitNear",),
}


def faults(_: Deployment) -> Sequence[Fault]:
    """Return one for each behaviour but the good one."""
    return [_fault(each) for each in Behaviour if each is not Behaviour.WELL]


def _fault(behaviour: Behaviour) -> Fault:
    @contextmanager
    def behave(world: World) -> Iterator[None]:
        world.stand_in.behaviour = behaviour
        try:
            yield
        finally:
            world.stand_in.behaviour = Behaviour.WELL

    felt = () if behaviour in _USABLE else (Outcome.LIVE_UNKNOWN,)
    # Answers of before are used for a second.
    return Fault(
        f"Stream: {behaviour}",
        behave,
        1.3,
        {},
        felt,
        quick=behaviour in _QUICK,
        alerts=_ALERTS.get(behaviour, ()),
    )
