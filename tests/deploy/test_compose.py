"""The compose file: Compose's own reader takes it, and it sets only what the programs read."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests.support.deploy.settings_of import READ_BY
from tests.support.deploy.tools import deploy_tool
from tests.support.machine.toolchains import ROOT

OURS = ("gateway", "migrate", "server")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    # The reader knows defaults, but not the environment.
    file = tmp_path_factory.mktemp("compose") / "compose.yaml"
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    file.write_text(re.sub(r"\$\{AUTH_ISSUER:\?[^}]*\}", "https://issuer.example.com", text))
    command = [str(deploy_tool("cmd")), "--format", "json", str(file)]
    read = subprocess.run(command, check=True, capture_output=True)
    services: dict[str, Any] = json.loads(read.stdout)["services"]
    return services


def test_it_has_all_that_serving_needs(services: dict[str, Any]) -> None:
    assert set(services) == {*OURS, "postgres"}


@pytest.mark.parametrize("name", OURS)
def test_it_sets_only_what_the_programs_read(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert set(service["environment"]) - READ_BY[service["image"]] == set()


def test_envoy_leaves_cores_to_the_server_beside_it(services: dict[str, Any]) -> None:
    assert services["gateway"]["environment"]["ENVOY_CONCURRENCY"] == 1


@pytest.mark.parametrize("name", OURS)
def test_they_have_no_rights_and_nothing_to_write_to(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_secrets_are_files(services: dict[str, Any], name: str) -> None:
    service = services[name]
    files = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
    assert files == {f"/run/secrets/{secret['source']}" for secret in service.get("secrets", ())}


def test_callers_reach_the_gateway_alone(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) == {"gateway"}
    assert [port["host_ip"] for port in published["gateway"]] == ["127.0.0.1"]
