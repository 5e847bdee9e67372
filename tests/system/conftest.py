from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.postgres import EmbeddedPostgres
from tests.support.auth.forged_tokens import PUBLISHED
from tests.support.auth.tokens import token_settings
from tests.support.callers.faces import Face, RunStack, faces_of
from tests.support.database.postgres import migrated_database, postgres_running, store_call
from tests.support.server.demo import RunningDemo, running_demo
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.key_server import KeyServer

ALLOWED_ORIGIN = "https://app.example.com"


@pytest.fixture(scope="session", params=Deployment)
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """Each way to serve, all tests of one after all of the other."""
    deployment: Deployment = request.param
    return deployment


@pytest.fixture(scope="session")
def demo(deployment: Deployment) -> Iterator[RunningDemo]:
    """Everything, as `make run` starts it; a test leaves it as it found it."""
    with running_demo(CORS_ORIGINS=ALLOWED_ORIGIN, **deployment.settings) as demo:
        yield demo


@pytest.fixture(scope="session")
def one_call_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with one stored call; a test leaves it as it found it."""
    with migrated_database(shared_postgres) as url:
        store_call(url)
        yield url


@pytest.fixture(scope="session")
def open_demo(deployment: Deployment, one_call_url: str) -> Iterator[RunningDemo]:
    """The demo for callers without a token, with the one stored call."""
    with running_demo(AUTH="off", DATABASE_URL=one_call_url, **deployment.settings) as demo:
        yield demo


@pytest.fixture(scope="session")
def scoped_demo(
    deployment: Deployment, one_call_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo]:
    """The demo for callers whose token grants scopes, with the one stored call, named in a file."""
    file = tmp_path_factory.mktemp("scoped") / "database_url"
    file.write_text(f"{one_call_url}\n")
    settings = {"AUTH_SCOPES": "calls:read calls:list", "DATABASE_URL_FILE": str(file)}
    with running_demo(**settings, **deployment.settings) as demo:
        yield demo


@pytest.fixture(scope="session")
def stack(
    deployment: Deployment, migrated_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Everything in parts of its own, with one stored call; a test leaves it as it found it."""
    folder = tmp_path_factory.mktemp("stack")
    with postgres_running(migrated_data) as postgres:
        store_call(postgres.url)
        with stack_running(postgres, folder, DATABASE_POOL_SIZE="1", **deployment.settings) as stack:
            yield stack


@pytest.fixture(scope="session")
def guarded_stack(
    deployment: Deployment,
    shared_postgres: EmbeddedPostgres,
    one_call_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything, for callers with a token; a test leaves it as it found it."""
    keys = KeyServer()
    keys.publishes(*PUBLISHED)
    with keys.running():
        folder = tmp_path_factory.mktemp("guarded")
        settings = {"DATABASE_URL": one_call_url, "LOG_LEVEL": "DEBUG", **token_settings(keys.url)}
        with stack_running(shared_postgres, folder, **settings, **deployment.settings) as stack:
            yield stack


@pytest.fixture
def running(
    deployment: Deployment, shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> RunStack:
    """Runs a stack of the test's own, with one stored call and with settings."""
    store_call(database_url)

    @contextmanager
    def run(**settings: str) -> Iterator[tuple[Stack, dict[str, Face]]]:
        settings = {"DATABASE_URL": database_url, **deployment.settings, **settings}
        with stack_running(shared_postgres, tmp_path, **settings) as stack, faces_of(stack) as faces:
            yield stack, faces

    return run
