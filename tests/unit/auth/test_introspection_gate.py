"""How failures of introspection open its breakers, and for which tokens."""

import logging

import pytest

from server.auth.introspection_gate import FAILURES, OPEN_SECONDS, IntrospectionGate
from server.auth.issuer_errors import IssuerError
from tests.support.machine.clock import Clock


@pytest.fixture
def gate(clock: Clock) -> IntrospectionGate:
    return IntrospectionGate(clock)


def fail(
    gate: IntrospectionGate,
    times: int = FAILURES,
    *,
    known: bool = False,
    status: int | None = 500,
    retry_after: float | None = None,
) -> None:
    for _ in range(times):
        gate.record_start(known=known)
        gate.record_failure(IssuerError("away", status=status, retry_after=retry_after), known=known)


@pytest.mark.parametrize(
    ("status", "known"),
    [(403, True), *((status, known) for status in (None, 401, 500, 503) for known in (True, False))],
)
def test_so_many_failures_in_a_row_close_it_until_one_request_tries_again(
    gate: IntrospectionGate, clock: Clock, status: int | None, known: bool
) -> None:
    fail(gate, FAILURES - 1, known=known, status=status)
    assert gate.permits(known=known)
    fail(gate, 1, known=known, status=status)
    assert not gate.permits(known=known)
    clock.now += OPEN_SECONDS
    assert gate.permits(known=known)
    gate.record_start(known=known)
    assert not gate.permits(known=known)
    gate.record_response(known=known)
    assert gate.permits(known=known)


def test_junk_that_makes_the_issuer_fail_closes_it_to_no_known_token(gate: IntrospectionGate) -> None:
    fail(gate, 100)
    assert not gate.permits(known=False)
    assert gate.permits(known=True)


def test_an_answer_between_failures_keeps_it_open(gate: IntrospectionGate) -> None:
    for _ in range(5):
        fail(gate, FAILURES - 1)
        gate.record_start(known=False)
        gate.record_response(known=False)
    assert gate.permits(known=False)


@pytest.mark.parametrize("status", [400, 403, 406, 413, 422])
def test_tokens_that_the_issuer_or_a_firewall_refuses_do_not_close_it(
    gate: IntrospectionGate, status: int
) -> None:
    fail(gate, 100, status=status)
    assert gate.permits(known=False)


@pytest.mark.parametrize(
    ("retry_after", "pause"), [(None, 5), (0, 1), (7, 7), (60, 60), (86_400, 60)], ids=str
)
def test_after_a_429_nobody_asks_for_so_long_and_known_tokens_go_first(
    gate: IntrospectionGate, clock: Clock, retry_after: float | None, pause: float
) -> None:
    fail(gate, 1, status=429, retry_after=retry_after)
    for passed, known, others in (
        (0, False, False),
        (pause - 0.1, False, False),
        (pause, True, False),
        (2 * pause - 0.1, True, False),
        (2 * pause, True, True),
    ):
        clock.now = passed
        assert (gate.permits(known=True), gate.permits(known=False)) == (known, others), passed


def test_a_shorter_pause_does_not_end_a_longer_one(gate: IntrospectionGate, clock: Clock) -> None:
    fail(gate, 1, status=429, retry_after=30)
    fail(gate, 1, status=429, retry_after=1)
    clock.now = 29
    assert not gate.permits(known=True)


def test_it_is_loud_and_sparing(
    gate: IntrospectionGate, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fail(gate, 100)
    clock.now = 1
    fail(gate, 1)
    lines = [vars(line) for line in caplog.records]
    assert [(line["levelno"], line["message"], line["reason"]) for line in lines] == [
        (logging.ERROR, "tokens cannot be introspected", "away")
    ] * 2
    assert lines[1]["suppressed"] == 99


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_named(
    gate: IntrospectionGate, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    fail(gate, 1, status=status)
    assert caplog.messages == ["introspection refuses the server's own credentials"]
