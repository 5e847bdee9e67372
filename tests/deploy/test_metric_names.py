"""The metrics of alerts and panels, held against the page that lists them."""

import re

import pytest

from tests.support.deploy.queries import DEPLOY, metrics, queries

PAGE = (DEPLOY.parent / "docs" / "operations" / "metrics.md").read_text()
# The metric and its labels of each row.
ROWS = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|", PAGE, re.MULTILINE))
VALUES = re.compile(r'\b(grpc_code|outcome|reason|state)[=!~]+"([\w|]+)"')


@pytest.mark.parametrize("name", sorted({name for name in metrics() if not name.startswith("envoy_")}))
def test_each_is_listed(name: str) -> None:
    assert name in ROWS


def test_each_value_of_a_label_is_one_that_there_can_be() -> None:
    selected = re.findall(r"\b(\w+?)(?:_bucket)?\{([^}]*)\}", "\n".join(queries()))
    named = [
        (metric, label, value)
        for metric, labels in selected
        for label, values in VALUES.findall(labels)
        for value in values.split("|")
    ]
    assert len(named) > 10
    assert [it for it in named if f"`{it[2]}`" not in ROWS[it[0]]] == []
