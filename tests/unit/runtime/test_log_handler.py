import errno
import io
import logging
from threading import Event

import pytest

from server.runtime import log_handler
from server.runtime.log_handler import BackgroundHandler


class StuckStream(io.StringIO):
    """A stream that takes nothing until the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let, self.lost = Event(), Event(), Event()

    def write(self, text: str) -> int:
        self.asked.set()
        self.let.wait(10)
        written = super().write(text)
        if "were lost" in text:
            self.lost.set()
        return written


def record(message: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": message})


def stuck_after_the_first() -> tuple[StuckStream, BackgroundHandler]:
    """Make a handler that is just writing its first line, and cannot."""
    stream = StuckStream()
    handler = BackgroundHandler(stream)
    handler.emit(record("first"))
    assert stream.asked.wait(10)
    return stream, handler


def test_lines_are_written_whole_and_in_order() -> None:
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    for number in range(100):
        handler.emit(record(f"line {number}"))
    handler.close()
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]


def test_nobody_waits_for_who_reads_the_log() -> None:
    stream, handler = stuck_after_the_first()
    handler.emit(record("second"))
    assert stream.getvalue() == ""
    stream.let.set()
    handler.close()
    assert stream.getvalue() == "first\nsecond\n"


def test_lines_that_are_not_taken_in_time_are_lost_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "MAX_LINES_WAITING", 2)
    stream, handler = stuck_after_the_first()
    for number in range(5):
        handler.emit(record(f"line {number}"))
    stream.let.set()
    handler.close()
    first, *kept, lost = stream.getvalue().splitlines()
    assert (first, kept) == ("first", ["line 0", "line 1"])
    assert lost.startswith("3 lines of the log were lost")


def test_after_a_loss_lines_are_taken_again_and_nothing_is_counted_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log_handler, "MAX_LINES_WAITING", 1)
    stream, handler = stuck_after_the_first()
    for number in range(2):
        handler.emit(record(f"line {number}"))
    stream.let.set()
    assert stream.lost.wait(10)
    handler.emit(record("last"))
    handler.close()
    *_, lost, last = stream.getvalue().splitlines()
    assert (lost.partition(" ")[0], last) == ("1", "last")
    assert stream.getvalue().count("were lost") == 1


def test_the_end_waits_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_handler, "_END_SECONDS", 0.01)
    stream, handler = stuck_after_the_first()
    handler.close()
    handler.close()
    assert stream.getvalue() == ""
    stream.let.set()


def test_a_line_that_cannot_be_made_does_not_end_the_writing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    handler.emit(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
    handler.emit(record("next"))
    handler.close()
    assert stream.getvalue() == "next\n"
    assert "Logging error" in capsys.readouterr().err


class FullStream(io.StringIO):
    """A stream that has room only after the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = Event()

    def write(self, text: str) -> int:
        if not self.refused.is_set():
            self.refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_what_cannot_be_written_is_lost_and_counted_and_the_next_is_written() -> None:
    stream = FullStream()
    handler = BackgroundHandler(stream)
    handler.emit(record("first"))
    assert stream.refused.wait(10)
    handler.emit(record("next"))
    handler.close()
    next_one, lost = stream.getvalue().splitlines()
    assert next_one == "next"
    assert lost.startswith("1 lines of the log were lost")
