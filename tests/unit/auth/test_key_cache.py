"""When keys are read, and which of them is found."""

import asyncio

import pytest

from server.auth.errors import KeysUnavailableError
from tests.support.auth.tokens import all_signers, signer
from tests.support.stand_ins.scripted_keys import ScriptedSource

OLD = signer("RS256", "old")
NEW = signer("RS256", "new")


async def test_they_are_read_at_the_start_and_every_five_minutes(source: ScriptedSource) -> None:
    begun = asyncio.get_running_loop().time()
    async with source.keys().keep_fresh() as keys:
        assert keys.current.kids == {key.kid for key in all_signers()}
        await asyncio.sleep(901)
    assert [moment - begun for moment in source.asked_at] == [0, 300, 600, 900]


async def test_a_known_key_is_found_without_asking(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        for _ in range(100):
            assert await keys.find("rs256", "RS256") is keys.current.find("rs256", "RS256")
    assert source.asked == 1


async def test_an_unknown_key_is_asked_for_and_found(source: ScriptedSource) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.publishes(OLD, NEW)
        assert await keys.find("new", "RS256")
        assert await keys.find("old", "RS256")
    assert source.asked == 2


async def test_unknown_keys_are_asked_for_at_most_once_in_30_s(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        for number in range(100):
            assert await keys.find(f"unknown-{number}", "RS256") is None
        assert source.asked == 2
        await asyncio.sleep(29.9)
        assert await keys.find("unknown", "RS256") is None
        assert source.asked == 2
        await asyncio.sleep(0.1)
        assert await keys.find("unknown", "RS256") is None
        assert await keys.find("unknown", "RS256") is None
        assert source.asked == 3


async def test_all_who_miss_a_key_at_once_share_one_reading(source: ScriptedSource) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.publishes(OLD, NEW)
        source.takes = 1
        found = await asyncio.gather(*(keys.find("new", "RS256") for _ in range(50)))
        assert found == [keys.current.find("new", "RS256")] * 50
    assert source.asked == 2


async def test_a_reading_that_began_before_a_key_was_published_is_followed_by_another(
    source: ScriptedSource,
) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.takes = 1
        await asyncio.sleep(300.5)
        source.publishes(OLD, NEW)
        assert await keys.find("new", "RS256")
    assert source.asked == 3


async def test_who_goes_away_takes_nobody_s_reading_along(source: ScriptedSource) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.publishes(OLD, NEW)
        source.takes = 1
        first, *others = (asyncio.create_task(keys.find("new", "RS256")) for _ in range(3))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await asyncio.gather(*others) == [keys.current.find("new", "RS256")] * 2
        assert first.cancelled()
    assert source.asked == 2


async def test_the_set_is_another_only_where_its_document_changed(source: ScriptedSource) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        first = keys.current
        await asyncio.sleep(301)
        assert keys.current is first
        source.publishes(NEW)
        await asyncio.sleep(301)
        assert keys.current.kids == {"new"}
        assert await keys.find("old", "RS256") is None


async def test_a_key_is_found_by_its_algorithm_if_it_is_the_only_one(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        assert await keys.find(None, "ES384") is keys.current.find("es384", "ES384")
    assert source.asked == 1


async def test_several_keys_for_an_algorithm_are_not_asked_about(source: ScriptedSource) -> None:
    source.publishes(OLD, NEW)
    async with source.keys().keep_fresh() as keys:
        assert await keys.find(None, "RS256") is None
        assert await keys.find("old", "ES256") is None
        source.away = True
        await asyncio.sleep(301)
        assert await keys.find(None, "RS256") is None
        assert await keys.find("old", "ES256") is None
        with pytest.raises(KeysUnavailableError):
            await keys.find(None, "ES256")
    assert source.asked == 2


async def test_an_algorithm_without_a_key_is_asked_for_as_an_unknown_key_is(
    source: ScriptedSource,
) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.publishes(OLD, signer("ES256"))
        assert await keys.find(None, "ES256")
        assert await keys.find(None, "ES384") is None
        assert await keys.find("unknown", "RS256") is None
    assert source.asked == 2


async def test_nothing_is_left_behind(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh():
        pass
    assert asyncio.all_tasks() == {asyncio.current_task()}
