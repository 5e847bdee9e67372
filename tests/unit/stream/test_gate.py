import pytest

from server.adapters.stream import gate as gate_module
from server.adapters.stream.gate import Gate
from server.adapters.stream.wire import StreamCall
from server.config.stream import StreamSettings
from tests.support.machine.clock import Clock

ONE = ("livestream", "one")
OTHER = ("livestream", "other")
OPEN_FOR = 5


def call(number: int) -> StreamCall:
    return ("livestream", f"call-{number}")


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(StreamSettings(breaker_failures=5, breaker_open_ms=OPEN_FOR * 1000), clock)


def fail(gate: Gate, *calls: StreamCall) -> None:
    for one in calls:
        gate.record_start(one)
        gate.record_failure(one)


def fail_service(gate: Gate) -> None:
    fail(gate, *map(call, range(5)))


def test_a_bad_call_is_left_alone_while_others_are_asked(gate: Gate) -> None:
    fail(gate, ONE, ONE)
    assert gate.permits(ONE)
    fail(gate, ONE)
    assert not gate.permits(ONE)
    assert gate.permits(OTHER)


def test_a_bad_call_polled_for_ever_never_silences_the_others(gate: Gate, clock: Clock) -> None:
    for _ in range(100):
        if gate.permits(ONE):
            fail(gate, ONE)
        clock.now += 1
    assert gate.permits(OTHER)


def test_a_bad_call_is_tried_again_with_one_request(gate: Gate, clock: Clock) -> None:
    fail(gate, ONE, ONE, ONE)
    clock.now += OPEN_FOR
    assert gate.permits(ONE)
    gate.record_start(ONE)
    assert not gate.permits(ONE)
    gate.record_response(ONE)
    assert gate.permits(ONE)


def test_failures_of_different_calls_silence_stream(gate: Gate) -> None:
    fail(gate, *map(call, range(4)))
    assert gate.permits(OTHER)
    fail(gate, call(4))
    assert not gate.permits(OTHER)


def test_a_success_between_starts_the_count_anew(gate: Gate) -> None:
    fail(gate, *map(call, range(4)))
    gate.record_start(OTHER)
    gate.record_response(OTHER)
    fail(gate, *map(call, range(4)))
    assert gate.permits(OTHER)
    fail(gate, call(4))
    assert not gate.permits(OTHER)


def test_one_request_tries_stream_again(gate: Gate, clock: Clock) -> None:
    fail_service(gate)
    clock.now += OPEN_FOR
    gate.record_start(ONE)
    assert not gate.permits(OTHER)
    gate.record_response(ONE)
    assert gate.permits(OTHER)


def test_a_failed_probe_silences_stream_again_and_leaves_the_next_to_others(
    gate: Gate, clock: Clock
) -> None:
    fail_service(gate)
    clock.now += OPEN_FOR
    fail(gate, call(0))
    clock.now += OPEN_FOR - 0.5
    assert not gate.permits(OTHER)
    clock.now += 0.5
    assert gate.permits(OTHER)
    assert not gate.permits(call(0))
    clock.now += OPEN_FOR
    assert gate.permits(call(0))


def test_a_probe_that_failed_is_forgotten_once_stream_is_well(gate: Gate, clock: Clock) -> None:
    fail_service(gate)
    clock.now += OPEN_FOR
    fail(gate, ONE)
    gate.record_response(ONE)
    fail_service(gate)
    clock.now += OPEN_FOR
    assert gate.permits(ONE)


def test_a_refused_request_counts_against_its_call_alone(gate: Gate) -> None:
    for number in range(20):
        gate.record_start(call(number))
        gate.record_rejection(call(number))
    assert gate.permits(OTHER)
    for _ in range(2):
        gate.record_rejection(call(0))
    assert not gate.permits(call(0))


def test_a_refused_probe_leaves_its_place_to_the_next(gate: Gate, clock: Clock) -> None:
    fail_service(gate)
    clock.now += OPEN_FOR
    gate.record_start(ONE)
    gate.record_rejection(ONE)
    assert gate.permits(OTHER)


@pytest.mark.parametrize(("said", "pause"), [(7, 7), (None, 5), (-30, 1), (0, 1), (3600, 60)])
def test_after_a_429_nothing_is_asked_until_its_reset(
    gate: Gate, clock: Clock, said: int | None, pause: float
) -> None:
    gate.record_start(ONE)
    gate.record_rate_limit(ONE, said)
    clock.now += pause - 0.5
    assert not gate.permits(ONE)
    assert not gate.permits(OTHER)
    clock.now += 0.5
    assert gate.permits(ONE)
    assert gate.permits(OTHER)


def test_a_shorter_429_does_not_cut_a_longer_one(gate: Gate, clock: Clock) -> None:
    gate.record_rate_limit(ONE, 10)
    gate.record_rate_limit(OTHER, 2)
    clock.now += 9
    assert not gate.permits(ONE)


def test_a_429_is_no_failure(gate: Gate, clock: Clock) -> None:
    for number in range(20):
        gate.record_start(call(number))
        gate.record_rate_limit(call(number), 1)
    clock.now += 1
    assert gate.permits(OTHER)


def test_a_rate_limited_probe_leaves_its_place_to_the_next(gate: Gate, clock: Clock) -> None:
    fail(gate, ONE, ONE, ONE)
    clock.now += OPEN_FOR
    gate.record_start(ONE)
    gate.record_rate_limit(ONE, 1)
    clock.now += 1
    assert gate.permits(ONE)


def test_remembers_a_bounded_number_of_bad_calls(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "_MAX_CALLS", 2)
    for number in range(4):
        gate.record_rejection(call(number))
    assert set(gate._calls) == {call(2), call(3)}


def test_says_when_silence_begins_and_ends(
    gate: Gate, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.stream")
    fail_service(gate)
    clock.now += OPEN_FOR
    fail(gate, ONE)
    gate.record_response(OTHER)
    gate.record_response(OTHER)
    fail(gate, ONE, ONE, ONE, ONE)
    gate.record_rate_limit(OTHER, 3)
    gate.record_rate_limit(OTHER, 3)
    assert caplog.messages == [
        "stream breaker opened",
        "stream breaker closed",
        "stream breaker opened for one call",
        "stream rate limit reached",
    ]
    opened, _, opened_for_one, limited = map(vars, caplog.records)
    assert (opened["retry_in_s"], limited["retry_in_s"]) == (OPEN_FOR, 3)
    assert (opened_for_one["stream_call_type"], opened_for_one["stream_call_id"]) == ONE
