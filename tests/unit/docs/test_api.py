"""The page on the API, held against the OpenAPI document, the errors of the server and the contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from machine.request_size import MAX_REQUEST_BYTES
from server.transport import errors
from tests.support.data.documented import FIELDS

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs" / "api.md").read_text()
PROTO = (PROJECT / "proto" / "livecalls" / "v1" / "live_calls.proto").read_text()
DOCUMENT = yaml.safe_load((PROJECT / "gateway" / "openapi.yaml").read_text())

ROW = re.compile(r"^\| `([\w.]+)` \| .+? \| (yes|no) \| .+ \|$", re.MULTILINE)


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def documented(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of each field of an object and whether it may be null, as the page writes them."""
    for name, field in schema["properties"].items():
        yield f"{prefix}{name}", "yes" if "null" in field["type"] else "no"
        if "properties" in field:
            yield from documented(field, f"{prefix}{name}.")


@pytest.mark.parametrize("reason", sorted({reason for _, reason in errors._OUTCOMES.values()}))
def test_every_reason_is_in_the_table_and_in_the_contract(reason: str) -> None:
    assert f"`{reason}`" in section("Errors")
    assert re.search(rf"// .*\b{reason}\b", PROTO)


def test_the_table_of_fields_is_that_of_the_openapi_document() -> None:
    assert ROW.findall(section("Fields")) == list(documented(DOCUMENT["components"]["schemas"]["Call"]))


def test_the_limit_of_a_request_is_in_the_table() -> None:
    assert f"a request of more than {MAX_REQUEST_BYTES // 1024} KiB" in section("Errors")


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_a_call_is_shown_with_every_field(page: str) -> None:
    lines = (PROJECT / page).read_text().splitlines()
    (call,) = [json.loads(line) for line in lines if line.startswith('{"id":')]
    assert list(call) == [*FIELDS, "live"]
