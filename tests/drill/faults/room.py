"""More requests than a worker has room for: its database is far away, and it takes few at once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.drill.accounting import Outcome
from tests.drill.fault import Fault, on_all_ways
from tests.drill.faults.network import delayed
from tests.support.server.deployments import Deployment


@contextmanager
def little(_: Path) -> Iterator[Mapping[str, str]]:
    """Yield the settings of a server with little room."""
    yield {"MAX_CONCURRENT_REQUESTS": "4"}


def faults(_: Deployment) -> Sequence[Fault]:
    """Return the one."""
    exhausted = on_all_ways(Outcome.RESOURCE_EXHAUSTED)
    felt, alerts = (Outcome.RESOURCE_EXHAUSTED,), ("LiveCallsFull",)
    return (
        Fault(
            "more requests than there is room for",
            delayed("database"),
            2,
            exhausted,
            felt,
            needs_load=True,
            alerts=alerts,
        ),
    )
