import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server.config import ServerSettings
from server.logs import logging_configured, request_id


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what is configured for the whole process."""
    for name in ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, getattr(logging, name))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    level = root.level
    yield
    root.setLevel(level)


def logged(capsys: pytest.CaptureFixture[str], **settings: Any) -> str:
    """Log a warning with an extra, and return what standard error got."""
    with logging_configured(ServerSettings(**settings)):
        logging.getLogger("server.some").warning("it is %s", "so", extra={"seconds": 5, "odd": {1, 2}})
    return capsys.readouterr().err


def test_a_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    line = json.loads(logged(capsys))
    assert before <= datetime.fromisoformat(line.pop("time")) <= datetime.now(UTC)
    assert line.pop("odd") in ([1, 2], "{1, 2}")
    assert line == {"level": "WARNING", "logger": "server.some", "message": "it is so", "seconds": 5}


def test_a_line_carries_the_id_of_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    token = request_id.set("abc-123")
    try:
        assert json.loads(logged(capsys))["request_id"] == "abc-123"
    finally:
        request_id.reset(token)


def test_a_trace_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_configured(ServerSettings()):
        try:
            1 // 0  # noqa: B018 - for its error
        except ZeroDivisionError:
            logging.getLogger("server").exception("a fault")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exc_info"].endswith("ZeroDivisionError: integer division or modulo by zero")


def test_people_read_text(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, log_format="text")
    assert "WARNING server.some it is so seconds=5 odd=" in line


def test_a_lower_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, log_level="ERROR") == ""


def test_no_header_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_configured(ServerSettings()):
        logging.getLogger("grpc._cython.cygrpc").error("Invalid encoding of a token")
        logging.getLogger("grpc._cython.cygrpc").error("something else")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "something else"
