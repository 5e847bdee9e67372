"""The page on the API, held against the errors that the server answers."""

from pathlib import Path

import pytest

from machine.request_size import MAX_REQUEST_BYTES
from server.transport import errors

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
ERRORS = PAGE.split("\n## Errors\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("reason", sorted({reason for _, reason in errors._OUTCOMES.values()}))
def test_every_reason_is_in_the_table(reason: str) -> None:
    assert f"`{reason}`" in ERRORS


def test_the_limit_of_a_request_is_in_the_table() -> None:
    assert f"a request of more than {MAX_REQUEST_BYTES // 1024} KiB" in ERRORS
