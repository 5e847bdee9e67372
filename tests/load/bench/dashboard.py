"""A run through phases of load and trouble, and a picture of what the dashboard's panels show of it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

from demo.ports import free_port, free_ports
from demo.stream_stand_in.stand_in import Behaviour
from tests.load.bench.contenders import Contender, Protocol, ours_through_envoy
from tests.load.bench.dashboard_panels import read_panel
from tests.load.bench.dashboard_picture import Band, draw
from tests.load.bench.generator import Load, run
from tests.load.bench.report import FOLDER
from tests.load.bench.rounds import Rounds
from tests.load.bench.world import World
from tests.support.database.postgres import frozen
from tests.support.deploy.prometheus import Prometheus, Targets, prometheus_running
from tests.support.deploy.queries import panels

PICTURE = "dashboard.png"
_WORKERS = 2
_SECONDS = 24
"""Of a phase. Rates are those of the last five, so that its beginning still shows the phase before."""


@dataclass(frozen=True)
class _Traffic:
    """Requests at a fixed rate, a second, all through the gateway."""

    protocol: Protocol
    keys: str
    rate: float
    junk: bool = False
    """Each with another token that is none."""

    def load(self, gateway: Contender, world: World) -> Load:
        caller = replace(gateway, protocol=self.protocol)
        load = caller.load(world.keys[self.keys], _SECONDS, rate=self.rate)
        return replace(load, token=None, fresh_tokens="junk-") if self.junk else load


@dataclass(frozen=True)
class _Phase:
    """What is requested, and what is wrong meanwhile."""

    title: str
    traffic: tuple[_Traffic, ...]
    trouble: Callable[[World], AbstractContextManager[None]] | None = None


@contextmanager
def _stream_fails(world: World) -> Iterator[None]:
    world.stand_in.behaviour = Behaviour.ERROR
    try:
        yield
    finally:
        world.stand_in.behaviour = Behaviour.WELL


def _database_hangs(world: World) -> AbstractContextManager[None]:
    return frozen(world.postgres)


_REST = _Traffic("http1", "warm", 150)
_GRPC = _Traffic("grpc", "few_on_air", 100)
_JUNK = _Traffic("http1", "warm", 100, junk=True)
_PHASES = (
    _Phase("REST, 150/s", (_REST,)),
    _Phase("and gRPC, 100/s,\ncalls on air", (_REST, _GRPC)),
    _Phase("Stream answers\nwith 500", (_REST, _GRPC), _stream_fails),
    _Phase("100/s more with\njunk tokens", (_REST, _GRPC, _JUNK)),
    _Phase("the database\nhangs", (_REST, _GRPC), _database_hangs),
    _Phase("all is well again", (_REST, _GRPC)),
)


def dashboard(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Go through the phases and draw every panel; yields no line.

    Raises EmptyPanelError if a query of a panel has nothing to show.
    """
    ports = {
        "METRICS_PORT": free_ports(_WORKERS)[0],
        "STATS_PORT": free_port(),
        "ADMIN_PORT": free_port(),
    }
    settings = {name: str(port) for name, port in ports.items()}
    world = replace(rounds.world, more_settings=settings)
    folder = world.folder / "prometheus"
    folder.mkdir()
    with (
        ours_through_envoy("dashboard", "http1", world, workers=_WORKERS) as gateway,
        prometheus_running(folder, _targets(ports)) as prometheus,
    ):
        bands = [_go_through(phase, rounds, gateway) for phase in _PHASES]
        _draw(prometheus, bands)
    yield from ()


def _targets(ports: dict[str, int]) -> Targets:
    metrics = ports["METRICS_PORT"]
    return {
        "livecalls": ("/metrics", range(metrics, metrics + _WORKERS)),
        "gateway": ("/stats/prometheus", [ports["STATS_PORT"]]),
    }


def _go_through(phase: _Phase, rounds: Rounds, gateway: Contender) -> Band:
    """Put a phase's loads on at once, amid its trouble, and return when that was."""
    world, trouble = rounds.world, phase.trouble
    rounds.progress(phase.title.replace("\n", " "))
    began = time.time()
    with trouble(world) if trouble else nullcontext(), ThreadPoolExecutor() as pool:
        loads = [traffic.load(gateway, world) for traffic in phase.traffic]
        # Reading what each has measured raises what went wrong in its thread.
        list(pool.map(run, loads))
    return Band(phase.title, began, time.time(), troubled=trouble is not None)


def _draw(prometheus: Prometheus, bands: list[Band]) -> None:
    since, until = bands[0].begins, bands[-1].ends

    def query(expression: str) -> list[dict[str, object]]:
        return prometheus.query_range(expression, since, until)

    draw(FOLDER / PICTURE, [read_panel(panel, query) for panel in panels()], bands)
