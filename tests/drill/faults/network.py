"""The network between any two parts: packets are lost, or late, or connections forgotten."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tests.drill.accounting import Outcome, Refusals, WayIn
from tests.drill.fault import Fault, Inflict, on_all_ways
from tests.drill.world import World
from tests.support.network.line import Line
from tests.support.server.deployments import Deployment

_DELAY_SECONDS = 0.2
_LATE = frozenset({Outcome.UNAVAILABLE, Outcome.DEADLINE_EXCEEDED})
_SILENT = _LATE | {Outcome.NO_ANSWER}
_GATEWAY = {WayIn.REST: _LATE, WayIn.THROUGH: _LATE}


def _hold_up(line: Line, *, now: bool) -> None:
    line.held_up = now


def _delay(line: Line, *, now: bool) -> None:
    line.delay_seconds = _DELAY_SECONDS if now else 0.0


def _forget(line: Line, *, now: bool) -> None:
    if now:
        line.forget_connections()


def _on(name: str, do: Callable[..., None]) -> Inflict:
    @contextmanager
    def inflict(world: World) -> Iterator[None]:
        lines = [line for each, line in world.lines.items() if each.startswith(name)]
        for line in lines:
            do(line, now=True)
        try:
            yield
        finally:
            for line in lines:
                do(line, now=False)

    return inflict


def delayed(name: str) -> Inflict:
    """Delay all that goes to and from a part."""
    return _on(name, _delay)


def faults(deployment: Deployment) -> Sequence[Fault]:
    """Return three for each line."""
    unavailable = on_all_ways(Outcome.UNAVAILABLE)
    between = [
        *_three("database", unavailable, (Outcome.UNAVAILABLE,)),
        *_three("stream", {}, (Outcome.LIVE_UNKNOWN,)),
        *_three("gateway", {WayIn.REST: _SILENT, WayIn.THROUGH: _LATE}, ()),
    ]
    if deployment is Deployment.STANDALONE:
        between += _three("server", {**_GATEWAY, WayIn.DIRECT: _LATE}, ())
    return between


def _three(name: str, refusals: Refusals, felt: Sequence[Outcome]) -> Iterator[Fault]:
    """Break the line to a part in each way; what is only late is refused to nobody."""
    line = f"the line to the {name}" if name != "stream" else "the line to Stream"
    yield Fault(f"{line} drops packets", _on(name, _hold_up), 4, refusals, felt)
    yield Fault(f"{line} delays by 200 ms", delayed(name), 2, {})
    yield Fault(f"{line} forgets its connections", _on(name, _forget), 0, refusals)
