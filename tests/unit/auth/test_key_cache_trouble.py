"""What becomes of the keys at hand while their source is away or publishes odd ones, and its log."""

import asyncio
import logging

import pytest

from server.auth.errors import KeysUnavailableError
from server.auth.key_cache import KeyCache
from tests.support.auth.tokens import key_set, signer
from tests.support.stand_ins.scripted_keys import ScriptedSource

OLD = signer("RS256", "old")
NEW = signer("RS256", "new")


async def test_the_keys_at_hand_are_kept_while_the_source_is_away(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        known = keys.current
        source.away = True
        await asyncio.sleep(24 * 3600)
        assert keys.current is known
        assert await keys.find("rs256", "RS256")


@pytest.mark.parametrize("document", [b"<html>", b'{"keys": []}'])
async def test_they_are_kept_while_the_source_publishes_nothing_usable(
    source: ScriptedSource, document: bytes
) -> None:
    async with source.keys().keep_fresh() as keys:
        source.document = document
        await asyncio.sleep(1000)
        assert await keys.find("rs256", "RS256")
        with pytest.raises(KeysUnavailableError):
            await keys.find("unknown", "RS256")


async def test_a_fault_in_a_reading_is_logged_and_ends_no_later_one(
    source: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.publishes(OLD)
    async with source.keys().keep_fresh() as keys:
        source.fault = ZeroDivisionError()
        await asyncio.sleep(301)
        with pytest.raises(KeysUnavailableError):
            await keys.find("new", "RS256")
        (line,) = (line for line in caplog.records if line.levelname == "ERROR")
        assert (line.message, line.exc_info is not None) == ("keys cannot be read", True)
        source.fault = None
        source.publishes(OLD, NEW)
        await asyncio.sleep(5)
        assert await keys.find("new", "RS256")


async def test_a_source_that_is_away_is_tried_every_5_s_and_no_caller_waits_for_it(
    source: ScriptedSource,
) -> None:
    source.away = True
    begun = asyncio.get_running_loop().time()
    async with source.keys().keep_fresh() as keys:
        source.takes = 3
        for _ in range(28):
            now = asyncio.get_running_loop().time()
            with pytest.raises(KeysUnavailableError):
                await keys.find("unknown", "RS256")
            assert asyncio.get_running_loop().time() == now
            await asyncio.sleep(1)
    assert [moment - begun for moment in source.asked_at] == [0, 5, 13, 21]


async def test_one_that_comes_back_is_found_without_being_asked_for(source: ScriptedSource) -> None:
    source.away = True
    async with source.keys().keep_fresh() as keys:
        assert len(keys.current) == 0
        source.away = False
        await asyncio.sleep(5.1)
        assert await keys.find("rs256", "RS256")
        assert source.asked == 2
        assert await keys.find("unknown", "RS256") is None


async def test_one_found_away_by_a_caller_is_tried_again_in_5_s(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        await asyncio.sleep(7)
        source.away = True
        with pytest.raises(KeysUnavailableError):
            await keys.find("unknown", "RS256")
        source.away = False
        await asyncio.sleep(5.1)
        assert source.asked == 3
        assert await keys.find("unknown", "RS256") is None


@pytest.mark.parametrize(
    ("retry_after", "pause"), [(None, 5), (0, 5), (3, 5), (60, 60), (299, 300), (86_400, 300)]
)
async def test_a_source_is_left_alone_for_as_long_as_it_asks_for(
    source: ScriptedSource, retry_after: float | None, pause: float
) -> None:
    source.away, source.retry_after = True, retry_after
    async with source.keys().keep_fresh():
        await asyncio.sleep(700)
    first, second, *_ = source.asked_at
    assert second - first == pause


async def test_nobody_has_it_asked_meanwhile_and_afterwards_all_is_as_before(
    source: ScriptedSource,
) -> None:
    async with source.keys().keep_fresh() as keys:
        source.away, source.retry_after = True, 120
        await asyncio.sleep(299)
        assert await keys.find("rs256", "RS256")
        await asyncio.sleep(60)
        with pytest.raises(KeysUnavailableError):
            await keys.find("unknown", "RS256")
        assert source.asked == 2
        source.away = False
        await asyncio.sleep(62)
        assert source.asked == 3
        assert await keys.find("unknown", "RS256") is None
        assert source.asked == 4


async def test_an_oddly_described_key_does_not_end_the_keeping(source: ScriptedSource) -> None:
    async with source.keys().keep_fresh() as keys:
        source.document = b'{"keys": [{"kty": "RSA", "alg": ["RS256"]}]}'
        await asyncio.sleep(301)
        source.publishes(NEW)
        await asyncio.sleep(301)
        assert await keys.find("new", "RS256")


async def test_it_is_logged_what_was_read_and_why_not(
    source: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.auth")
    source.publishes(NEW, OLD)
    async with source.keys().keep_fresh():
        source.away = True
        await asyncio.sleep(301)
    read, failed = caplog.records
    assert (read.levelname, read.message) == ("INFO", "keys read")
    assert vars(read)["kids"] == ["new", "old"]
    assert (failed.levelname, failed.message) == ("ERROR", "keys cannot be read")
    assert (vars(failed)["reason"], vars(failed)["keys"]) == ("away", 2)


async def test_the_log_names_the_issuer_if_there_are_several(
    source: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.auth")
    source.document = key_set({}, NEW)
    async with KeyCache(source, asyncio.get_running_loop().time, "https://one.example").keep_fresh():
        source.away = True
        await asyncio.sleep(301)
    assert len(caplog.records) == 3
    assert {vars(line)["issuer"] for line in caplog.records} == {"https://one.example"}


async def test_a_key_that_is_left_out_is_logged_once_and_again_after_it_was_gone(
    source: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    odd = {**OLD.jwk, "alg": "RS1"}
    document, without = key_set(odd, NEW), key_set(NEW)
    source.document = document
    async with source.keys().keep_fresh():
        for source.document in (document + b" ", document, without, document):
            await asyncio.sleep(301)
    left_out = [vars(line) for line in caplog.records if line.message == "key ignored"]
    assert [(line["kid"], line["algorithm"], line["reason"]) for line in left_out] == [
        ("old", "RS1", "its algorithm is not accepted")
    ] * 2


async def test_the_keys_of_a_set_without_a_good_one_are_logged_once_too(
    source: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.document = key_set({**OLD.jwk, "alg": "RS1"})
    async with source.keys().keep_fresh():
        await asyncio.sleep(61)
    assert source.asked > 10
    assert [line.message for line in caplog.records].count("key ignored") == 1
