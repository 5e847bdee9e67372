"""The images: they serve by both ways, with no right and nothing to write to."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.ports import free_port, free_ports
from demo.postgres import embedded_postgres
from demo.readiness import grpc_answers
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import FAST, store_call
from tests.support.machine.containers import (
    IMAGES,
    UID,
    Image,
    mounted_images,
    run_to_end,
    running,
)

EVERY_IMAGE = pytest.mark.parametrize("name", IMAGES)
STATUS = "import json; print(json.dumps(dict(line.split(':', 1) for line in open('/proc/self/status'))))"
WRITE = "open('/opt/livecalls/written', 'w')"


@pytest.fixture(scope="module")
def images() -> Iterator[dict[str, Image]]:
    with mounted_images() as images:
        yield images


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("containers")


@pytest.fixture(scope="module")
def database_url(images: dict[str, Image], folder: Path) -> Iterator[str]:
    """A database that the image of the server has migrated, with a call."""
    port = str(free_port())
    listens = {"listen_addresses": "127.0.0.1", "port": port}
    with embedded_postgres(folder / "data", {**FAST, **listens}):
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        code, said = run_to_end(images["server"], folder, "migrate", DATABASE_URL=url)
        assert (code, said.startswith("migrated from nothing")) == (0, True), said
        store_call(url)
        yield url


def answers(address: str) -> bool:
    try:
        return ask(f"http://{address}", "GET", f"/v1/live/calls/{CALL_ID}").status == 200
    except OSError:
        return False


@pytest.mark.timeout(600)
def test_the_server_and_the_gateway_serve_and_end(
    images: dict[str, Image], folder: Path, database_url: str
) -> None:
    rest_port, grpc_port = free_port(), free_port()
    ports = {"GRPC_PORT": str(grpc_port), "REST_PORT": str(rest_port), "ADMIN_PORT": str(free_port())}
    settings = {"AUTH": "off", "DATABASE_URL": database_url, "GRPC_HOST": "127.0.0.1", **ports}
    gateway_settings = {"GRPC_HOST": "127.0.0.1", "REST_HOST": "127.0.0.1", **ports}
    with (
        running(images["server"], folder, **settings) as server,
        running(images["gateway"], folder, **gateway_settings) as gateway,
    ):
        assert server.waits_for(lambda: grpc_answers(f"127.0.0.1:{grpc_port}")), server.said()
        assert gateway.waits_for(lambda: answers(f"127.0.0.1:{rest_port}")), gateway.said()
        assert (gateway.stop(), server.stop()) == (0, 0)
    assert "Traceback" not in server.said() + gateway.said()


@pytest.mark.timeout(600)
def test_the_server_embedded_in_envoy_serves_and_ends(
    images: dict[str, Image], folder: Path, database_url: str
) -> None:
    port = free_port()
    settings = {"AUTH": "off", "DATABASE_URL": database_url, "REST_HOST": "127.0.0.1"}
    ports = {"REST_PORT": str(port), "ADMIN_PORT": str(free_ports(2)[0])}
    with running(images["embedded"], folder, **settings, **ports) as server:
        assert server.waits_for(lambda: grpc_answers(f"127.0.0.1:{port}")), server.said()
        assert answers(f"127.0.0.1:{port}"), server.said()
        assert server.stop() == 0
    assert "Traceback" not in server.said()


def python(image: Image, folder: Path, statement: str) -> tuple[int, str]:
    config = {**image.config, "Entrypoint": ["python", "-c"]}
    return run_to_end(image._replace(config=config), folder, statement)


@EVERY_IMAGE
@pytest.mark.timeout(600)
def test_it_runs_as_a_user_without_rights(images: dict[str, Image], folder: Path, name: str) -> None:
    code, said = python(images[name], folder, STATUS)
    assert code == 0, said
    status = {key: value.split() for key, value in json.loads(said).items()}
    assert set(status["Uid"]) == set(status["Gid"]) == {str(UID)}
    rights = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(status[right][0], 16) for right in rights} == {0}
    assert status["NoNewPrivs"] == ["1"]


@EVERY_IMAGE
@pytest.mark.timeout(600)
def test_nothing_of_it_can_be_written(images: dict[str, Image], folder: Path, name: str) -> None:
    code, said = python(images[name], folder, WRITE)
    assert code == 1
    assert "Read-only file system" in said
    own = [path for path in (images[name].files / "opt").rglob("*") if path.lstat().st_uid == UID]
    assert own == []


@EVERY_IMAGE
@pytest.mark.timeout(600)
def test_it_has_what_it_runs_and_no_more(images: dict[str, Image], name: str) -> None:
    (packages,) = (images[name].files / "opt/livecalls/lib").glob("python3.*/site-packages")
    there = {path.name for path in packages.iterdir()}
    assert not there & {"demo", "tests", "pip", "pytest", "uv", "hatchling"}
    assert ("envoy" in there) == (name != "server")
    assert ("sqlalchemy" in there) == (name != "gateway")
    programs = {path.name for path in images[name].files.glob("**/*bin/*")}
    assert not programs & {"sh", "bash", "dash", "apt", "dpkg", "perl", "busybox"}
