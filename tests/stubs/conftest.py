from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from demo.postgres import EmbeddedPostgres
from tests.stubs.cases import Case
from tests.stubs.languages import COLUMNS, Column, build, set_up
from tests.stubs.page import page_served
from tests.stubs.runner import Run, run
from tests.stubs.table import table
from tests.stubs.ways_in import Parts, Targets, store_all_calls, ways_in
from tests.support.database.postgres import migrated_database
from tests.support.server.deployments import Deployment, WayIn
from tests.support.stand_ins.upstream import Upstream, upstream_running


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """The scripted server."""
    with upstream_running() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def page() -> Iterator[str]:
    """The page whose scripts run the cases, of an origin that the gateways allow."""
    with page_served() as url:
        yield url


@pytest.fixture(scope="session")
def targets(
    shared_postgres: EmbeddedPostgres,
    upstream: Upstream,
    page: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[WayIn], Targets]]:
    """Returns the targets of a way in, which are started on first use."""
    folder = tmp_path_factory.mktemp("stubs")
    with migrated_database(shared_postgres) as url, ExitStack() as running:
        store_all_calls(url)

        @cache
        def started(deployment: Deployment) -> dict[WayIn, Targets]:
            edge = {"CORS_ORIGINS": page}
            parts = Parts(deployment, shared_postgres, url, folder, upstream.port, edge)
            return running.enter_context(ways_in(parts))

        yield lambda way_in: started(way_in.deployment)[way_in]


@pytest.fixture(scope="session", params=COLUMNS, ids=str)
def column(request: pytest.FixtureRequest) -> Column:
    """A client by a way in, all tests of one after all of the other."""
    column: Column = request.param
    return column


@pytest.fixture(scope="session")
def ran(column: Column, targets: Callable[[WayIn], Targets], upstream: Upstream, page: str) -> Run:
    """The outcomes of all cases."""
    build(column.client.language)
    set_up(column.client)
    return run(column.client, targets(column.way_in), upstream, page)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        match getattr(getattr(item, "callspec", None), "params", {}):
            case {"case": Case(name=case), "column": Column() as column}:
                # Also if the client is not even built.
                item.user_properties.append(("cell", (case, str(column))))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in table(terminalreporter.stats):
        terminalreporter.write_line(line)
