"""How stale what one way showed of a call was: histories are letters, one for half a second."""

from itertools import groupby

import pytest

from server.application.call import LiveStatus
from server.commands.staleness import Shown, max_staleness

STATUSES = {
    letter: LiveStatus(is_live=True, current_session_id=letter, ended_at=None) for letter in "abcd"
}


def history(letters: str) -> list[Shown]:
    groups = groupby(enumerate(letters), key=lambda it: it[1])
    return [Shown(next(group)[0] / 2, STATUSES[letter]) for letter, group in groups]


def staleness(fresh: str, checked: str) -> float:
    return max_staleness(history(checked), history(fresh), (len(fresh) - 1) / 2)


@pytest.mark.parametrize(
    ("fresh", "checked", "seconds"),
    [
        ("aaaaaaaa", "aaaaaaaa", 0),
        ("aabbbcca", "aabbbcca", 0),
        ("aabbbbbb", "aaabbbbb", 0.5),
        ("aabbbbbb", "aaaaabbb", 1.5),
        ("aabbbbbbbccccc", "aaabbbbbbbbccc", 1),
        ("aabbbbbaaaaa", "aaaabbbbbaaa", 1),
    ],
    ids=["no change", "all at once", "a little", "more", "the longest counts", "back and forth"],
)
def test_it_is_how_much_later_a_change_is_shown(fresh: str, checked: str, seconds: float) -> None:
    assert staleness(fresh, checked) == seconds


def test_changes_that_follow_soon_each_count_for_themselves() -> None:
    assert staleness("aabbcccccc", "aaaaaabbcc") == 2


def test_what_is_missed_was_stale_for_as_long_as_it_lasted() -> None:
    assert staleness("aabbbbbaaa", "aaaaaaaaaa") == 2.5


def test_what_was_left_before_the_first_request_is_stale_from_then_on() -> None:
    assert staleness("bbbbbb", "aaabbb") == 1.5


def test_what_is_shown_again_is_stale_since_it_was_left() -> None:
    assert staleness("aabbbbbbbb", "aabbbbabbb") == 2.5


@pytest.mark.parametrize(
    ("fresh", "checked"),
    [
        ("aaabbb", "aabbbb"),
        ("aaabbb", "bbbbbb"),
        ("aaaabbbbaaaa", "aaabbbbaaaaa"),
        ("aabbbba", "aabbaaa"),
        ("aaaa", "aaba"),
    ],
    ids=["later", "from the start", "back and forth", "until the end", "alone"],
)
def test_who_is_ahead_is_not_stale(fresh: str, checked: str) -> None:
    assert staleness(fresh, checked) == 0


def test_who_never_shows_it_is_stale_until_the_end() -> None:
    assert staleness("aabbbb", "aaaaaa") == 1.5
