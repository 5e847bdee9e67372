"""What traces cost: requests a second with tracing on, ÷ those with it off."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from aiohttp import web

from demo.serving import serve_in_thread
from tests.load.bench.contenders import WAYS
from tests.load.bench.rounds import Rounds, ratio_of_rates

_SHARES = {"0pct": "0", "1pct": "0.01"}
"""The shares of requests that are traced, by the lines that they are for."""


def tracing(rounds: Rounds) -> Iterator[tuple[str, float]]:
    """Compare servers that trace none of the requests, or 1 %, with such whose tracing is off.

    The last two lines are the worst ratios."""
    costs: dict[str, list[float]] = {line: [] for line in _SHARES}
    with _collector() as url:
        for way, starting in WAYS.items():
            with ExitStack() as stack:
                off = stack.enter_context(starting(f"{way}-off", rounds.world))
                traced = [
                    stack.enter_context(
                        starting(
                            f"{way}-{line}", replace(rounds.world, more_settings=_settings(url, share))
                        )
                    )
                    for line, share in _SHARES.items()
                ]
                twice = replace(rounds, count=2 * rounds.count)
                cells = twice.measure([(contender, "warm") for contender in (off, *traced)])
            for line, cell in zip(costs, cells[1:], strict=True):
                costs[line].append(ratio_of_rates([cell, cells[0]]))
                yield f"tracing_{line}_cost_{way}", costs[line][-1]
    for line, ratios in costs.items():
        yield f"tracing_{line}_cost", min(ratios)


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
