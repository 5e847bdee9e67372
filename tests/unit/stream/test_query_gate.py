import pytest

from server.adapters.stream.query_gate import QueryGate
from server.config.stream import StreamSettings
from tests.support.machine.clock import Clock

OPEN_FOR = 5
ALONE, FEWEST = 1, 2


@pytest.fixture
def gate(clock: Clock) -> QueryGate:
    return QueryGate(StreamSettings(breaker_open_ms=OPEN_FOR * 1000), clock)


def fail(gate: QueryGate) -> None:
    gate.record_start()
    gate.record_failure("status 403", 2)


def succeed(gate: QueryGate, calls: int = 2) -> None:
    gate.record_success(calls, is_probe=gate.record_start())


def test_at_first_a_hundred_may_be_requested_together(gate: QueryGate) -> None:
    assert (gate.max_calls, gate.is_open) == (100, False)


def test_none_if_that_is_off(clock: Clock) -> None:
    gate = QueryGate(StreamSettings(bulk="off"), clock)
    assert (gate.max_calls, gate.is_open) == (ALONE, False)


def test_one_failure_closes_it_for_the_breaker_s_time(gate: QueryGate, clock: Clock) -> None:
    fail(gate)
    assert (gate.max_calls, gate.is_open) == (ALONE, True)
    clock.now += OPEN_FOR - 0.5
    assert gate.max_calls == ALONE
    clock.now += 0.5
    assert (gate.max_calls, gate.is_open) == (FEWEST, True)


def test_then_one_request_is_a_probe(gate: QueryGate, clock: Clock) -> None:
    assert gate.record_start() is False
    gate.record_failure("status 403", 2)
    clock.now += OPEN_FOR
    assert gate.record_start() is True
    assert gate.max_calls == ALONE
    gate.record_success(2, is_probe=True)
    assert (gate.max_calls, gate.is_open) == (100, False)
    assert gate.record_start() is False


def test_a_probe_that_fails_closes_it_again(gate: QueryGate, clock: Clock) -> None:
    fail(gate)
    clock.now += OPEN_FOR
    fail(gate)
    clock.now += OPEN_FOR - 0.5
    assert gate.max_calls == ALONE
    clock.now += 0.5
    assert gate.max_calls == FEWEST


def test_a_probe_whose_end_is_no_evidence_leaves_its_place_to_the_next(
    gate: QueryGate, clock: Clock
) -> None:
    fail(gate)
    clock.now += OPEN_FOR
    gate.record_start()
    gate.release()
    assert (gate.max_calls, gate.is_open) == (FEWEST, True)
    assert gate.record_start() is True


def test_so_does_one_that_is_too_large(gate: QueryGate, clock: Clock) -> None:
    fail(gate)
    clock.now += OPEN_FOR
    gate.record_start()
    gate.record_too_large(100)
    assert (gate.max_calls, gate.is_open) == (FEWEST, True)


def test_a_success_of_one_sent_before_the_failure_does_not_open_it(
    gate: QueryGate, clock: Clock
) -> None:
    early = gate.record_start()
    fail(gate)
    gate.record_success(2, is_probe=early)
    assert (gate.max_calls, gate.is_open) == (ALONE, True)
    clock.now += OPEN_FOR
    gate.record_start()
    gate.record_success(2, is_probe=early)
    assert (gate.max_calls, gate.is_open) == (ALONE, True)


def test_a_failure_of_one_sent_before_leaves_it_alone_for_as_long_once_more(
    gate: QueryGate, clock: Clock
) -> None:
    gate.record_start()
    fail(gate)
    clock.now += 1
    gate.record_failure("timeout", 2)
    clock.now += OPEN_FOR - 0.5
    assert gate.max_calls == ALONE


@pytest.mark.parametrize(("calls", "half"), [(100, 50), (51, 25), (5, 2), (4, 2), (3, 2)])
def test_too_large_a_response_halves_the_number_but_not_below_two(
    gate: QueryGate, calls: int, half: int
) -> None:
    gate.record_start()
    gate.record_too_large(calls)
    assert (gate.max_calls, gate.is_open) == (half, False)


def test_two_that_are_too_large_together_say_nothing_of_others(gate: QueryGate) -> None:
    for calls in (100, 50, 2):
        gate.record_too_large(calls)
    assert (gate.max_calls, gate.is_open) == (100, False)


@pytest.mark.parametrize(("between", "ends"), [(0, True), (1, False)])
def test_five_of_no_use_close_it_if_none_of_use_is_between(
    gate: QueryGate, between: int, *, ends: bool
) -> None:
    for _ in range(4):
        gate.record_useless("not JSON", 10)
    assert gate.max_calls == 100
    for _ in range(between):
        succeed(gate)
    gate.record_useless("not JSON", 10)
    assert gate.is_open is ends


def test_one_of_no_use_that_tries_it_again_closes_it_again(gate: QueryGate, clock: Clock) -> None:
    fail(gate)
    clock.now += OPEN_FOR
    gate.record_start()
    gate.record_useless("not JSON", 2)
    assert (gate.max_calls, gate.is_open) == (ALONE, True)


@pytest.mark.parametrize(("calls", "half"), [(100, 50), (51, 25), (50, 100), (2, 100)])
def test_so_does_the_failure_of_a_large_one(
    gate: QueryGate, clock: Clock, calls: int, half: int
) -> None:
    gate.record_start()
    gate.record_failure("timeout", calls)
    clock.now += OPEN_FOR
    assert gate.max_calls == FEWEST
    succeed(gate)
    assert (gate.max_calls, gate.is_open) == (half, False)


def test_a_larger_one_sent_before_does_not_raise_it_again(gate: QueryGate) -> None:
    gate.record_too_large(20)
    gate.record_too_large(100)
    assert gate.max_calls == 10


def test_it_grows_by_one_with_each_full_one_up_to_a_hundred(gate: QueryGate) -> None:
    gate.record_too_large(100)
    for calls in (49, 50, 50, 51, 2):
        succeed(gate, calls)
    assert gate.max_calls == 52
    for calls in range(52, 110):
        succeed(gate, min(calls, 100))
    assert gate.max_calls == 100


def test_it_says_when_bulk_ends_and_begins(
    gate: QueryGate, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.stream")
    succeed(gate)
    gate.record_start()
    fail(gate)
    gate.record_failure("timeout", 2)
    for end in (fail, succeed, succeed):
        clock.now += OPEN_FOR
        end(gate)
    assert [(line.levelname, line.message) for line in caplog.records] == [
        ("WARNING", "stream is asked for each call alone"),
        ("INFO", "stream is asked for many calls at once again"),
    ]
    ended = vars(caplog.records[0])
    assert (ended["reason"], ended["retry_in_s"]) == ("status 403", OPEN_FOR)
