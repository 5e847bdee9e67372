import pytest

from server.resilience.breaker import Breaker
from tests.support.machine.clock import Clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, open_for=5, clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.record_start()
        breaker.record_failure()


def test_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert breaker.permits()
    fail(breaker, 1)
    assert breaker.is_open
    assert not breaker.permits()


def test_a_success_between_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.record_success()
    fail(breaker, 2)
    assert breaker.permits()


def test_lets_exactly_one_probe_through_after_the_open_time(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 4.999
    assert not breaker.permits()
    clock.now = 5
    assert breaker.permits()
    breaker.record_start()
    clock.now = 1000
    assert not breaker.permits()


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 5
    breaker.record_start()
    breaker.record_success()
    assert not breaker.is_open
    fail(breaker, 2)
    assert breaker.permits()


def test_a_probe_that_fails_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 5
    fail(breaker, 1)
    clock.now = 9.999
    assert not breaker.permits()
    clock.now = 10
    assert breaker.permits()


def test_a_probe_that_tells_nothing_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 5
    breaker.record_start()
    breaker.release()
    assert breaker.is_open
    assert breaker.permits()


def test_a_probe_can_leave_others_the_way(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 7
    assert not breaker.permits(after=2.5)
    clock.now = 7.5
    assert breaker.permits(after=2.5)
