"""Tokens as providers really make them, sent to the running service by each of its APIs."""

from collections.abc import Iterator

import pytest

from demo.postgres import EmbeddedPostgres
from tests.support.auth.token_shapes import GROUPS, PUBLISHED, Group
from tests.support.auth.tokens import token_settings
from tests.support.callers.faces import FACES, Face, faces_of
from tests.support.database.postgres import migrated_database, store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.key_server import KeyServer


@pytest.fixture(scope="module", params=GROUPS.values(), ids=list(GROUPS))
def group(request: pytest.FixtureRequest) -> Group:
    group: Group = request.param
    return group


@pytest.fixture(scope="module")
def shaped_stack(
    deployment: Deployment,
    group: Group,
    shared_postgres: EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything, under the settings of a group."""
    keys = KeyServer()
    keys.publishes(*PUBLISHED)
    with keys.running(), migrated_database(shared_postgres) as database_url:
        store_call(database_url)
        settings = {**token_settings(keys.url), **group.settings, "DATABASE_URL": database_url}
        folder = tmp_path_factory.mktemp("shaped")
        with stack_running(shared_postgres, folder, **settings, **deployment.settings) as stack:
            yield stack


@pytest.fixture(scope="module")
def faces(shaped_stack: Stack) -> Iterator[dict[str, Face]]:
    with faces_of(shaped_stack) as faces:
        yield faces


@pytest.mark.parametrize("name", FACES)
def test_each_shape_is_answered_as_is_right(faces: dict[str, Face], group: Group, name: str) -> None:
    outcomes = {shape: faces[name]([f"Bearer {it.make()}"]).word for shape, it in group.shapes.items()}
    assert outcomes == group.outcomes()


def test_a_key_that_is_left_out_is_logged_with_the_reason(shaped_stack: Stack) -> None:
    lines = shaped_stack.server.logged("key ignored")
    assert {(line["kid"], line["algorithm"], line["reason"]) for line in lines} == {
        ("left-out", "ES256K", "its algorithm is not accepted")
    }
    assert len(lines) == 1
