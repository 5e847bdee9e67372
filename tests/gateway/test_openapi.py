import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis import Case

OPENAPI = Path(__file__).parents[2] / "gateway" / "openapi.yaml"
DOCUMENTED = json.loads((Path(__file__).parent / "documented.json").read_text())

schema = schemathesis.openapi.from_path(OPENAPI)


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(OPENAPI.read_text())


def test_it_is_a_valid_openapi_document(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


@pytest.mark.parametrize("name", ["Call", "Error"])
def test_bodies_are_as_documented(document: Any, name: str) -> None:
    body = document["components"]["schemas"][name]
    assert body == DOCUMENTED[name]
    assert list(body["properties"]) == DOCUMENTED[name]["required"]


@schema.parametrize()
@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    # The gateway is the same for every example, and so is what it answers.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_gateway_keeps_to_it(case: Case[Any], rest_url: str) -> None:
    case.call_and_validate(base_url=rest_url)
