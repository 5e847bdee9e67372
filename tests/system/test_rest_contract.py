"""The REST API of the whole system, compared with its OpenAPI document."""

from pathlib import Path
from typing import Any

import pytest
from schemathesis import Case

from tests.support.data.golden import Golden
from tests.support.data.openapi import examples, schema
from tests.support.server.demo import RunningDemo

REPLIES = sorted((Path(__file__).parents[1] / "gateway/golden").glob("*.txt"))


@pytest.mark.parametrize("path", REPLIES, ids=lambda path: path.stem)
def test_a_reply_is_as_written_down(demo: RunningDemo, path: Path) -> None:
    Golden(path).check(demo.url, demo.bearer, rewrite=False)


@schema.parametrize()
@examples
def test_it_keeps_to_its_openapi_document(case: Case[Any], demo: RunningDemo) -> None:
    # Written large, for schemathesis to find it when it tries without.
    headers = {"Authorization": demo.bearer["authorization"]}
    case.call_and_validate(base_url=demo.url, headers=headers)
