"""The backoff before a process that has ended is restarted."""

from server.supervision.backoff import HEALTHY_SECONDS, MAX_PAUSE, MIN_PAUSE, Backoff


def test_the_first_end_is_mended_at_once() -> None:
    assert Backoff().after(0.1) == 0


def test_pauses_grow_with_each_early_end_up_to_the_longest() -> None:
    backoff = Backoff()
    assert [backoff.after(1) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 10, 10, 10]
    assert (MIN_PAUSE, MAX_PAUSE) == (0.5, 10)


def test_a_run_that_went_well_makes_them_short_again() -> None:
    backoff = Backoff()
    for _ in range(9):
        backoff.after(HEALTHY_SECONDS - 0.1)
    assert [backoff.after(ran) for ran in (HEALTHY_SECONDS, 1, 1)] == [0, 0.5, 1]
