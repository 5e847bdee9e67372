from collections.abc import Callable
from itertools import islice

import pytest

from client.caller import CallMissingError, TokenRefusedError, UnavailableError
from client.watching import sights

Answer = str | Exception


def answering(*answers: Answer) -> Callable[[], str]:
    left = iter(answers)

    def ask() -> str:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def test_an_outage_is_told_and_the_newest_kept() -> None:
    ask = answering("a", UnavailableError("away"), UnavailableError("still"), "b")
    first, *others = islice(sights(ask, 0), 4)
    assert [(sight.text, sight.outage) for sight in (first, *others)] == [
        ("a", None),
        ("a", "away"),
        ("a", "still"),
        ("b", None),
    ]
    assert [sight.seen_at == first.seen_at for sight in others] == [True, True, False]


def test_who_does_not_answer_the_first_time_is_not_waited_for() -> None:
    with pytest.raises(UnavailableError):
        next(sights(answering(UnavailableError("away"), "a"), 0))


@pytest.mark.parametrize("error", [CallMissingError("gone"), TokenRefusedError("expired")])
def test_what_asking_again_does_not_mend_ends_it(error: Exception) -> None:
    seen = sights(answering("a", error, "b"), 0)
    next(seen)
    with pytest.raises(type(error)):
        next(seen)
