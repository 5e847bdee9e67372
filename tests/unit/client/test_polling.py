from collections.abc import Callable
from itertools import islice

import pytest

from client.caller import CallNotFoundError, TokenRefusedError, UnavailableError
from client.polling import poll

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
    first, *others = islice(poll(ask, 0), 4)
    assert [(snapshot.text, snapshot.outage) for snapshot in (first, *others)] == [
        ("a", None),
        ("a", "away"),
        ("a", "still"),
        ("b", None),
    ]
    assert [snapshot.seen_at == first.seen_at for snapshot in others] == [True, True, False]


def test_who_does_not_answer_the_first_time_is_not_waited_for() -> None:
    with pytest.raises(UnavailableError):
        next(poll(answering(UnavailableError("away"), "a"), 0))


@pytest.mark.parametrize("error", [CallNotFoundError("gone"), TokenRefusedError("expired")])
def test_what_asking_again_does_not_mend_ends_it(error: Exception) -> None:
    seen = poll(answering("a", error, "b"), 0)
    next(seen)
    with pytest.raises(type(error)):
        next(seen)
