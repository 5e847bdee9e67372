"""Which token is next, while more tokens come than may be introspected at once."""

import asyncio

import pytest

from server.auth import introspection_queue
from server.auth.introspection_queue import IntrospectionQueue, Rank, Turn, TurnedAwayError
from tests.support.stand_ins.scripted_introspection import now

PER_SECOND = 4
AS_FAST_AS_CAN_BE = 10**9


@pytest.fixture
def queue() -> IntrospectionQueue:
    """A queue whose pace does not matter, in which two tokens of each rank may wait."""
    queue = IntrospectionQueue(2, AS_FAST_AS_CAN_BE, patience=1)
    queue._max_waiting = (2, 2, 2)
    return queue


async def enter(queue: IntrospectionQueue, name: str, *, known: bool = False) -> Turn:
    """Take a place, and the turn at once if there is one."""
    turn = queue.enter(name.encode(), known=known)
    await asyncio.sleep(1e-6)
    return turn


async def turned_away(queue: IntrospectionQueue, name: str, *, known: bool = False) -> bool:
    try:
        await enter(queue, name, known=known)
    except TurnedAwayError:
        return True
    return False


async def leave(turn: Turn) -> None:
    """Leave, and let the next one have the turn."""
    turn.leave()
    await asyncio.sleep(1e-6)


async def test_so_many_have_a_turn_at_once_and_others_wait(queue: IntrospectionQueue) -> None:
    first, second, third = [await enter(queue, name) for name in "abc"]
    await first.wait()
    await second.wait()
    assert not third.came.done()
    await leave(second)
    assert third.came.done()


async def test_those_who_came_first_go_first(queue: IntrospectionQueue) -> None:
    first, _, third, fourth = [await enter(queue, name) for name in "abcd"]
    await leave(first)
    assert (third.came.done(), fourth.came.done()) == (True, False)


async def test_those_who_cannot_have_a_turn_in_time_are_turned_away_at_once() -> None:
    queue = IntrospectionQueue(100, PER_SECOND, patience=4)
    assert [await turned_away(queue, str(number)) for number in range(12)] == [False] * 9 + [True] * 3


async def test_unknown_tokens_have_so_many_turns_a_second_and_known_ones_all_they_need() -> None:
    queue = IntrospectionQueue(100, PER_SECOND, patience=4)
    begun = now()
    unknown = [queue.enter(bytes([number]), known=False) for number in range(9)]
    known = [queue.enter(bytes([number]), known=True) for number in range(50)]
    assert all(turn.came.done() for turn in known)
    moments = []
    for turn in unknown:
        await turn.wait()
        moments.append(now() - begun)
        turn.leave()
    assert moments == pytest.approx([number / PER_SECOND for number in range(9)])


async def test_nobody_waits_for_ever(queue: IntrospectionQueue) -> None:
    _, _, third = [await enter(queue, name) for name in "abc"]
    begun = now()
    with pytest.raises(TurnedAwayError):
        await third.wait()
    assert now() - begun == pytest.approx(1)
    third.leave()
    assert not await turned_away(queue, "d")


async def test_tokens_that_were_good_go_first(queue: IntrospectionQueue) -> None:
    first, second, junk, _ = [await enter(queue, name) for name in "abcd"]
    good = await enter(queue, "good", known=True)
    await leave(first)
    assert (good.came.done(), junk.came.done()) == (True, False)
    await leave(second)
    assert junk.came.done()


async def test_who_was_turned_away_goes_before_who_is_new(queue: IntrospectionQueue) -> None:
    first, _, junk, _ = [await enter(queue, name) for name in "abcd"]
    assert await turned_away(queue, "good")
    again = await enter(queue, "good")
    await leave(first)
    assert (again.rank, again.came.done(), junk.came.done()) == (Rank.RETURNING, True, False)
    await leave(again)
    assert junk.came.done()
    assert await turned_away(queue, "e") is False


async def test_who_waited_in_vain_goes_before_who_is_new(queue: IntrospectionQueue) -> None:
    _, _, waiting = [await enter(queue, name) for name in "abc"]
    with pytest.raises(TurnedAwayError):
        await waiting.wait()
    await leave(waiting)
    assert (await enter(queue, "c")).rank is Rank.RETURNING


async def test_who_got_in_is_new_the_next_time(queue: IntrospectionQueue) -> None:
    places = [await enter(queue, name) for name in "abcd"]
    assert await turned_away(queue, "e")
    for place in (*places, await enter(queue, "e")):
        place.leave()
    assert (await enter(queue, "e")).rank is Rank.NEW


async def test_so_many_known_ones_wait_at_most(
    queue: IntrospectionQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection_queue, "MAX_KNOWN_WAITING", 3)
    queue = IntrospectionQueue(1, 1, patience=1)
    for name in "abcd":
        assert not await turned_away(queue, name, known=True)
    assert await turned_away(queue, "e", known=True)


async def test_so_many_are_remembered_as_turned_away(
    queue: IntrospectionQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection_queue, "MAX_TURNED_AWAY", 2)
    for name in "abcd":
        await enter(queue, name)
    for name in "efg":
        assert await turned_away(queue, name)
    assert (await enter(queue, "f")).rank is Rank.RETURNING
    assert await turned_away(queue, "e")


async def test_a_turn_that_came_as_its_waiting_was_given_up_is_not_lost(
    queue: IntrospectionQueue,
) -> None:
    first, _, third = [await enter(queue, name) for name in "abc"]
    waiting = asyncio.create_task(third.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    first.leave()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await leave(third)
    assert (await enter(queue, "d")).came.done()


async def test_a_turn_that_came_as_its_waiting_took_too_long_is_used() -> None:
    queue = IntrospectionQueue(1, AS_FAST_AS_CAN_BE, patience=1)
    first, second = [await enter(queue, name) for name in "ab"]
    asyncio.get_running_loop().call_later(1, first.leave)
    await second.wait()
