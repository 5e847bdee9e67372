"""The load generator, as a function: what load to put on the service, and what was measured."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

PROGRAM = Path(__file__).parents[3] / ".build" / "loadgen"

# It ends by itself, a second after what it measures; here is time for it to sort what it has measured.
_MORE_SECONDS = 30
_SEEDS = count(1)


class GeneratorError(Exception):
    """The generator could not put the load on the service; the message is its one line."""


@dataclass(frozen=True)
class Load:
    """A load: its requests, targets and rate."""

    protocol: Literal["grpc", "http1"]
    addresses: tuple[str, ...]
    """Each a host and a port, with a colon between; connections take turns."""
    keys: Path
    """A file of the ids to draw from, one a line."""
    seconds: float
    """How long to measure."""
    warm_up: float = 0
    """How many seconds of load before that."""
    in_flight: int = 64
    """Requests under way at once."""
    connections: int | None = None
    """By gRPC one unless this is another number; by HTTP/1.1 always one for each request under way."""
    rate: float | None = None
    """Requests a second, timed from when they were due; without it each begins as another ends."""
    token: str | None = None
    fresh_tokens: str | None = None
    """With each request another token: this and a number."""


@dataclass(frozen=True)
class Measured:
    """The outcome of the requests that ended within the measured time."""

    requests: int
    """Failed ones too, as in the rate."""
    failed: int
    seconds: float
    rate: float
    mean_us: float
    """Of those that succeeded, as are all latencies; 0 if none did."""
    p50_us: int
    p99_us: int
    p999_us: int
    max_us: int
    first_failure: str | None


def run(load: Load) -> Measured:
    """Put the load on the service, and return the measurements.

    Each time other ids are drawn first: a load does not request what the one before has just made known.
    """
    ended = subprocess.run(
        [PROGRAM, *_options(load)],
        capture_output=True,
        text=True,
        timeout=load.warm_up + load.seconds + _MORE_SECONDS,
        check=False,
    )
    if ended.returncode:
        raise GeneratorError(ended.stderr.strip() or f"loadgen ended with {ended.returncode}")
    return Measured(**json.loads(ended.stdout))


def _options(load: Load) -> Iterator[str]:
    yield f"--protocol={load.protocol}"
    yield f"--address={','.join(load.addresses)}"
    yield f"--keys={load.keys}"
    yield f"--seed={next(_SEEDS)}"
    yield f"--seconds={load.seconds}"
    yield f"--warm-up={load.warm_up}"
    yield f"--in-flight={load.in_flight}"
    if load.connections is not None:
        yield f"--connections={load.connections}"
    if load.rate is not None:
        yield f"--rate={load.rate}"
    if load.token is not None:
        yield f"--token={load.token}"
    if load.fresh_tokens is not None:
        yield f"--fresh-tokens={load.fresh_tokens}"
