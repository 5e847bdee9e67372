import subprocess
import sys
from typing import Any

import pytest
import yaml
from schemathesis import Case

from tests.support.data.documented import SCHEMAS
from tests.support.data.openapi import OPENAPI, examples, schema
from tests.support.data.sample_replies import sample_replies
from tests.support.envoy.gateway import Gateway
from tests.support.stand_ins.upstream import Upstream


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(OPENAPI.read_text())


def test_it_is_a_valid_openapi_document(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    # In a process of its own: its import takes four seconds, in each of the tests' processes.
    validated = subprocess.run(
        [sys.executable, "-m", "openapi_spec_validator", OPENAPI],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr


@pytest.mark.parametrize("name", ["Call", "Error"])
def test_bodies_are_as_documented(document: Any, name: str) -> None:
    body = undescribed(document["components"]["schemas"][name])
    assert body == SCHEMAS[name]
    assert list(body["properties"]) == SCHEMAS[name]["required"]


@schema.parametrize()
@examples
def test_the_gateway_keeps_to_it(case: Case[Any], gateway: Gateway, upstream: Upstream) -> None:
    upstream.serves(sample_replies(), to="secret")
    case.call_and_validate(base_url=gateway.url, headers={"Authorization": "Bearer secret"})


def undescribed(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop the descriptions of a schema."""
    bare = {keyword: value for keyword, value in schema.items() if keyword != "description"}
    if "properties" in bare:
        bare["properties"] = {name: undescribed(each) for name, each in bare["properties"].items()}
    return bare
