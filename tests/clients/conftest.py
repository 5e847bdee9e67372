import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from tests.support.auth.tokens import bearer, signer, token_settings
from tests.support.callers.steady_stream import PATIENT
from tests.support.database.postgres import migrated_database, store_call
from tests.support.server.deployments import Deployment, WayIn
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.key_server import KeyServer

Stacks = Callable[[Deployment], Stack]
# Longer than any machine takes for these tests.
TOKEN_SECONDS = 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # What a test runs is built before it.
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def token() -> str:
    return signer("ES256").token(exp=int(time.time()) + TOKEN_SECONDS)


@pytest.fixture(scope="session")
def authorization(token: str) -> dict[str, str]:
    """The header with the token, which is as well metadata of gRPC."""
    return bearer(token)


@pytest.fixture(scope="session")
def database(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with the one call."""
    with migrated_database(shared_postgres) as url:
        store_call(url)
        yield url


@contextmanager
def served(
    postgres: EmbeddedPostgres, database: str, folder: Path, deployment: Deployment
) -> Iterator[Stack]:
    """Serve the one call to callers with a token, and describe the service to anybody."""
    keys = KeyServer()
    settings = {
        "DATABASE_URL": database,
        "REFLECTION": "on",
        **token_settings(keys.url),
        **PATIENT,
        **deployment.settings,
    }
    with keys.running(), stack_running(postgres, folder, **settings) as stack:
        yield stack


@pytest.fixture(scope="session")
def stacks(
    shared_postgres: EmbeddedPostgres, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stacks]:
    """The service by a way to serve, started on first use; a test leaves it as it found it."""
    with ExitStack() as running:

        @cache
        def stack(deployment: Deployment) -> Stack:
            folder = tmp_path_factory.mktemp(f"clients-{deployment}")
            return running.enter_context(served(shared_postgres, database, folder, deployment))

        yield stack


@pytest.fixture(scope="session", params=WayIn, ids=str)
def way_in(request: pytest.FixtureRequest) -> WayIn:
    """Each way in, all tests of one after all of the other."""
    way_in: WayIn = request.param
    return way_in


@pytest.fixture(scope="session")
def address(way_in: WayIn, stacks: Stacks) -> str:
    """The gRPC address of the way in."""
    straight, through = stacks(way_in.deployment).grpc_addresses
    return straight if way_in is WayIn.DIRECT else through


@pytest.fixture(scope="session", params=Deployment)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each way to serve, all tests of one after all of the other."""
    deployment: Deployment = request.param
    return deployment


@pytest.fixture(scope="session")
def stack(deployment: Deployment, stacks: Stacks) -> Stack:
    """The service, behind its gateway; a test leaves it as it found it."""
    return stacks(deployment)
