"""The backoff before a process that has ended is restarted."""

from server.supervision.pauses import LONGEST_PAUSE, SHORTEST_PAUSE, WELL_SECONDS, Pauses


def test_the_first_end_is_mended_at_once() -> None:
    assert Pauses().after(0.1) == 0


def test_pauses_grow_with_each_early_end_up_to_the_longest() -> None:
    pauses = Pauses()
    assert [pauses.after(1) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 10, 10, 10]
    assert (SHORTEST_PAUSE, LONGEST_PAUSE) == (0.5, 10)


def test_a_run_that_went_well_makes_them_short_again() -> None:
    pauses = Pauses()
    for _ in range(9):
        pauses.after(WELL_SECONDS - 0.1)
    assert [pauses.after(ran) for ran in (WELL_SECONDS, 1, 1)] == [0, 0.5, 1]
