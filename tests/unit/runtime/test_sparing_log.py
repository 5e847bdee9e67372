import logging
from typing import Any

import pytest

from server.runtime.sparing_log import MAX_KINDS, SILENCE_SECONDS, SparingLog
from tests.support.machine.clock import Clock


@pytest.fixture
def log(clock: Clock) -> SparingLog:
    return SparingLog(logging.getLogger("sparing"), clock)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    return [
        (line.message, vars(line)["reason"], vars(line).get("suppressed")) for line in caplog.records
    ]


def test_a_kind_is_logged_once_a_second_and_those_left_out_are_counted(
    log: SparingLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        log.write(logging.ERROR, "away", reason="a")
    clock.now = SILENCE_SECONDS
    for _ in range(2):
        log.write(logging.ERROR, "away", reason="a")
    clock.now = 5 * SILENCE_SECONDS
    log.write(logging.ERROR, "away", reason="a")
    assert lines(caplog) == [("away", "a", None), ("away", "a", 2), ("away", "a", 1)]


def test_other_kinds_are_logged_beside_it(log: SparingLog, caplog: pytest.LogCaptureFixture) -> None:
    for message, reason in [("away", "a"), ("away", "b"), ("slow", "a"), ("away", "b")]:
        log.write(logging.WARNING, message, reason=reason)
    assert lines(caplog) == [("away", "a", None), ("away", "b", None), ("slow", "a", None)]


def test_so_many_kinds_are_logged_in_a_second_and_no_more_remembered(
    log: SparingLog, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(2):
        clock.now = second * SILENCE_SECONDS
        for number in range(2 * MAX_KINDS):
            log.write(logging.ERROR, "bad", reason=f"{second} {number}")
    assert len(caplog.records) == 2 * MAX_KINDS
