"""What traces cost: requests a second with tracing on, ÷ those with it off."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from aiohttp import web

from demo.serving import serve_in_thread
from tests.load.bench.contenders import WAYS
from tests.load.bench.rounds import Cell, Rounds, ratio_of_rates

_SHARES = {"0pct": "0", "1pct": "0.01"}
"""The shares of requests that are traced, by the lines that they are for."""


def tracing(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Compare servers that trace none of the requests, or 1 %, with such whose tracing is off.

    All are started anew for each round, for two processes of the same program may differ by more than
    what is measured. The last two lines are the worst ratios.
    """
    costs: dict[str, list[float]] = {line: [] for line in _SHARES}
    with _collector() as url:
        for way in WAYS:
            off, *traced = _measure(rounds, way, url)
            for line, cell in zip(costs, traced, strict=True):
                costs[line].append(ratio_of_rates([cell, off]))
                yield f"tracing_{line}_cost_{way}", costs[line][-1]
    for line, ratios in costs.items():
        yield f"tracing_{line}_cost", min(ratios)


def _measure(rounds: Rounds, way: str, url: str) -> list[Cell]:
    """Measure servers with tracing off and, by their shares, with tracing on."""
    worlds = {"off": rounds.world}
    for line, share in _SHARES.items():
        worlds[line] = replace(rounds.world, more_settings=_settings(url, share))
    cells = [Cell(f"{way}-{line}", "warm", []) for line in worlds]
    twice = replace(rounds, count=2)
    for _ in range(rounds.count):
        with ExitStack() as stack:
            started = [
                stack.enter_context(WAYS[way](f"{way}-{line}", world)) for line, world in worlds.items()
            ]
            measured = twice.measure([(contender, "warm") for contender in started])
        for cell, more in zip(cells, measured, strict=True):
            cell.samples.extend(more.samples)
    return cells


def _settings(url: str, share: str) -> dict[str, str]:
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": share,
    }


@contextmanager
def _collector() -> Iterator[str]:
    """Run a collector that throws away what it gets."""
    application = web.Application()
    application.router.add_post("/v1/traces", _drop)
    with serve_in_thread(application) as url:
        yield url


async def _drop(request: web.Request) -> web.Response:
    await request.read()
    return web.Response()
