"""PostgreSQL: stopped, restarted, paused, full, locked, or replaced by another."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psycopg

from tests.drill.accounting import Outcome
from tests.drill.database import ROLE, hold
from tests.drill.fault import Fault, on_all_ways
from tests.drill.world import World
from tests.support.database.postgres import away, execute, frozen, kill
from tests.support.database.trouble import locked
from tests.support.server.deployments import Deployment

_END_ALL = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
_UNAVAILABLE = on_all_ways(Outcome.UNAVAILABLE)
_FELT = (Outcome.UNAVAILABLE,)
_ALERTS_OF_STOPPED = ("LiveCallsDatabaseAway", "LiveCallsErrors")


@contextmanager
def stopped(world: World) -> Iterator[None]:
    with away(world.database.first.postgres):
        yield


@contextmanager
def crashed(world: World) -> Iterator[None]:
    kill(world.database.first.postgres)
    world.database.first.postgres.ensure_running()
    yield


@contextmanager
def paused(world: World) -> Iterator[None]:
    with frozen(world.database.first.postgres):
        yield


def end_connections(world: World) -> None:
    """End those of the server."""
    execute(world.database.first.admin_url, _END_ALL)


@contextmanager
def connections_ended(world: World) -> Iterator[None]:
    end_connections(world)
    yield


@contextmanager
def full(world: World) -> Iterator[None]:
    """Take the server's connections away, and then all that PostgreSQL has."""
    url = world.database.first.admin_url
    with ExitStack() as stack, psycopg.connect(url, autocommit=True) as admin:
        ended = 1
        while ended:
            ended = len(admin.execute(_END_ALL).fetchall())
            _take_all(stack, url)
        yield


def _take_all(stack: ExitStack, url: str) -> None:
    while True:
        try:
            stack.enter_context(psycopg.connect(url, autocommit=True))
        except psycopg.OperationalError:
            return


@contextmanager
def migrated(world: World) -> Iterator[None]:
    with locked(world.database.first.admin_url):
        yield


@contextmanager
def failed_over(world: World) -> Iterator[None]:
    """Stop the first host for good, and have the other take over after a while."""
    hold(world.database.other, world.truth.rows)
    world.database.other.postgres.stop()
    world.database.first.postgres.stop()
    yield
    world.database.other.postgres.ensure_running()


def faults(_: Deployment) -> Sequence[Fault]:
    """Return them; the first host does not come back from the last."""
    return (
        Fault("PostgreSQL stopped", stopped, 2, _UNAVAILABLE, _FELT, alerts=_ALERTS_OF_STOPPED),
        Fault("PostgreSQL restarted", stopped, 0, _UNAVAILABLE),
        Fault("PostgreSQL crashed", crashed, 0, _UNAVAILABLE),
        Fault("PostgreSQL paused", paused, 4, _UNAVAILABLE, _FELT),
        Fault("PostgreSQL ends all connections", connections_ended, 0, {}),
        Fault("PostgreSQL out of connections", full, 2, _UNAVAILABLE, _FELT),
        Fault(
            "the table locked by a migration",
            migrated,
            4,
            _UNAVAILABLE,
            _FELT,
            alerts=("LiveCallsSlow",),
        ),
        Fault("PostgreSQL failed over to another address", failed_over, 1, _UNAVAILABLE, _FELT),
    )
