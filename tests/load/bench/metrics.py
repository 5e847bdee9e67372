"""What it costs that metrics are served and scraped: requests a second, and memory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event, Thread

from demo.ports import free_port
from tests.load.bench.contenders import WAYS, Contender, Way
from tests.load.bench.rounds import Rounds, memory_mb, ratio_of_rates
from tests.load.bench.world import World
from tests.support.callers.metrics import scrape

_SCRAPE_SECONDS = 1.0
"""Between two scrapes, of which Prometheus makes one in 15 s by default."""


def metrics(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Compare servers with metrics to such without, and yield the worst ratio of all."""
    costs = {}
    for way, starting in WAYS.items():
        with ExitStack() as stack:
            on = stack.enter_context(_scraped(starting, f"{way}-metrics", rounds.world))
            off = stack.enter_context(starting(f"{way}-none", rounds.world))
            twice = replace(rounds, count=2 * rounds.count)
            cells = twice.measure([(on, "warm"), (off, "warm")])
            costs[way] = ratio_of_rates(cells)
            yield f"metrics_cost_{way}", costs[way]
            if way == "grpc":
                yield "metrics_rss_mb", memory_mb(on)
                yield "no_metrics_rss_mb", memory_mb(off)
    yield "metrics_cost", min(costs.values())


@contextmanager
def _scraped(starting: Way, name: str, world: World) -> Iterator[Contender]:
    """Run a server whose metrics are scraped all the time."""
    port, over = free_port(), Event()
    with starting(name, replace(world, more_settings={"METRICS_PORT": str(port)})) as contender:
        scraping = Thread(target=_scrape_on, args=(port, over))
        scraping.start()
        try:
            yield contender
        finally:
            over.set()
            scraping.join()


def _scrape_on(port: int, over: Event) -> None:
    while not over.wait(_SCRAPE_SECONDS):
        scrape(port)
