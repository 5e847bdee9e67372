import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server.config.server import ServerSettings
from server.runtime.logs import configure_logging, request_id

CYGRPC = "grpc._cython.cygrpc"
QUIET = ("httpx", "httpcore", "getstream")


class Odd:
    """Something that JSON does not know."""

    def __str__(self) -> str:
        return "an odd thing"


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put back what is configured for the whole process."""
    for name in ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing"):
        monkeypatch.setattr(logging, name, getattr(logging, name))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    monkeypatch.setattr(root, "level", root.level)
    for name in (*QUIET, CYGRPC):
        logger = logging.getLogger(name)
        monkeypatch.setattr(logger, "level", logger.level)
        monkeypatch.setattr(logger, "filters", logger.filters[:])
    yield
    monkeypatch.undo()
    # What loggers remember of the levels is forgotten so.
    root.setLevel(root.level)


def logged(capsys: pytest.CaptureFixture[str], **settings: Any) -> str:
    """Log a warning with an extra, and return what standard error got."""
    with configure_logging(ServerSettings(**settings)):
        logging.getLogger("server.some").warning("it is %s", "so", extra={"seconds": 5, "odd": Odd()})
    return capsys.readouterr().err


def test_a_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    line = json.loads(logged(capsys))
    assert before <= datetime.fromisoformat(line.pop("time")) <= datetime.now(UTC)
    assert line == {
        "level": "WARNING",
        "logger": "server.some",
        "message": "it is so",
        "seconds": 5,
        "odd": "an odd thing",
    }


ODD_TEXT = "a\ud800\nERROR \x1b[31mb ä"


def test_no_text_costs_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging(ServerSettings()):
        logging.getLogger("server.some").warning("odd", extra={"kid": ODD_TEXT, "odd": Odd()})
    (line,) = capsys.readouterr().err.splitlines()
    fields = json.loads(line)
    assert (fields["message"], fields["kid"], fields["odd"]) == ("odd", ODD_TEXT, "an odd thing")
    assert len(fields["time"]) == len("2000-02-29T00:00:00.123456Z")


def test_no_field_begins_a_line_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging(ServerSettings(log_format="text")):
        logging.getLogger("server.some").warning("odd", extra={"kid": ODD_TEXT, "whole": "ä b"})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("WARNING server.some odd kid=a\\ud800\\nERROR \\x1b[31mb \\xe4 whole=ä b")


def test_a_line_tells_its_time_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging(ServerSettings()):
        logging.getLogger().handle(logging.makeLogRecord({"levelno": 30, "created": 951782400.123456}))
    assert json.loads(capsys.readouterr().err)["time"] == "2000-02-29T00:00:00.123456Z"


def test_a_line_of_no_request_has_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert "request_id" not in json.loads(logged(capsys))


def test_a_line_carries_the_id_of_its_request(capsys: pytest.CaptureFixture[str]) -> None:
    token = request_id.set("abc-123")
    try:
        assert json.loads(logged(capsys))["request_id"] == "abc-123"
    finally:
        request_id.reset(token)


def test_a_trace_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging(ServerSettings()):
        try:
            1 // 0  # noqa: B018 - for its error
        except ZeroDivisionError:
            logging.getLogger("server").exception("a fault")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exc_info"].endswith("ZeroDivisionError: integer division or modulo by zero")


def test_people_read_text(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(capsys, log_format="text")
    assert "WARNING server.some it is so seconds=5 odd=an odd thing\n" in line


def test_a_lower_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, log_level="ERROR") == ""


@pytest.mark.parametrize("name", QUIET)
def test_a_library_does_not_tell_of_every_question(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with configure_logging(ServerSettings(log_level="DEBUG")):
        logging.getLogger(name).info("asked, with a key")
        logging.getLogger(name).warning("trouble")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "trouble"


def test_no_header_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with configure_logging(ServerSettings()):
        logging.getLogger(CYGRPC).error("Invalid encoding of a token")
        logging.getLogger(CYGRPC).error("something else")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "something else"
