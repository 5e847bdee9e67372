"""How many introspection responses are cached."""

import math

import pytest

from server.auth import introspection_cache
from server.auth.introspection_cache import GrantCache
from server.auth.tokens import Grant
from tests.support.machine.clock import Clock

NOTHING = Grant(frozenset(), math.inf)


@pytest.fixture
def cache(clock: Clock) -> GrantCache:
    return GrantCache(30, clock)


def remember(cache: GrantCache, *digests: bytes, grant: Grant = NOTHING) -> None:
    for digest in digests:
        cache.remember(digest, grant, asked_at=0, lasts=math.inf)


def kept(cache: GrantCache, *digests: bytes) -> list[bool]:
    return [digest in cache for digest in digests]


def test_the_least_recently_used_one_gives_way(
    cache: GrantCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection_cache, "MAX_GRANTS", 2)
    remember(cache, b"a", b"b")
    assert cache.find(b"a")
    remember(cache, b"c")
    assert kept(cache, b"a", b"b", b"c") == [True, False, True]


def test_they_are_bounded_in_bytes_too(cache: GrantCache, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Grant(frozenset(f"{number:01000}" for number in range(10)), math.inf)
    monkeypatch.setattr(introspection_cache, "MAX_GRANT_BYTES", 30_000)
    remember(cache, b"a", b"b", grant=large)
    remember(cache, b"b", b"b", grant=large)
    assert kept(cache, b"a", b"b") == [True, True]
    remember(cache, b"c", grant=large)
    assert kept(cache, b"a", b"b", b"c") == [False, True, True]
    cache.forget(b"b")
    remember(cache, b"d", grant=large)
    assert kept(cache, b"b", b"c", b"d") == [False, True, True]


def test_what_takes_more_than_all_may_is_not_kept(
    cache: GrantCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection_cache, "MAX_GRANT_BYTES", 2000)
    remember(cache, b"a", grant=Grant(frozenset({"a" * 3000}), math.inf))
    remember(cache, b"b")
    assert kept(cache, b"a", b"b") == [False, True]


def test_one_that_is_out_of_date_is_still_known(cache: GrantCache, clock: Clock) -> None:
    remember(cache, b"a")
    clock.now = 30
    assert cache.find(b"a") is None
    assert b"a" in cache
