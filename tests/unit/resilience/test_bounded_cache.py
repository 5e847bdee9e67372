from server.resilience.bounded_cache import bounded_lru_cache

made: list[str] = []


@bounded_lru_cache(2, 3, len)
def shout(text: str) -> str:
    """Say it loud."""
    made.append(text)
    return text.upper()


def test_what_is_small_is_made_once_and_the_longest_unused_forgotten() -> None:
    made.clear()
    assert [shout(text) for text in ("a", "b", "a", "c", "a", "b")] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]


def test_what_is_large_is_made_each_time_and_takes_no_place() -> None:
    made.clear()
    assert [shout(text) for text in ("ab", "long", "abc", "long", "ab", "abc")] == [
        *("AB", "LONG", "ABC", "LONG", "AB", "ABC")
    ]
    assert made == ["ab", "long", "abc", "long"]


def test_it_keeps_its_name_and_what_it_says() -> None:
    assert (shout.__name__, shout.__doc__) == ("shout", "Say it loud.")
