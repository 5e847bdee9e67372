"""The keys of several issuers, and what a fresh server waits for of them."""

import asyncio
import logging

import pytest

from server.auth.issuer_keys import issuer_keys
from server.transport.readiness import Readiness
from tests.support.auth.tokens import signer
from tests.support.data.calls import ScriptedPorts
from tests.support.stand_ins.scripted_keys import ScriptedSource

FIRST, SECOND = signer("RS256", "first"), signer("RS256", "second")


@pytest.fixture
def other() -> ScriptedSource:
    source = ScriptedSource()
    source.publishes(SECOND)
    return source


async def test_each_issuer_has_its_own_keys(source: ScriptedSource, other: ScriptedSource) -> None:
    source.publishes(FIRST)
    async with issuer_keys({"one": source, "two": other}) as keys:
        assert await keys["one"].find("first", "RS256")
        assert await keys["two"].find("second", "RS256")
        assert await keys["one"].find("second", "RS256") is None
        assert await keys["two"].find("first", "RS256") is None


async def test_issuers_with_one_source_share_its_keys(source: ScriptedSource) -> None:
    async with issuer_keys({"one": source, "two": source}) as keys:
        assert keys["one"] is keys["two"]
    assert source.asked == 1


async def test_one_that_is_away_takes_none_from_the_others(
    source: ScriptedSource, other: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.away = True
    async with issuer_keys({"one": source, "two": other}) as keys:
        assert await keys["two"].find("second", "RS256")
    (line,) = (line for line in caplog.records if line.levelno == logging.ERROR)
    assert (line.message, vars(line)["issuer"]) == ("keys cannot be read", "one")


async def ready_after(*sources: ScriptedSource, within: float) -> float:
    """Return how long a fresh server waits, in virtual seconds."""
    clock = asyncio.get_running_loop().time
    async with issuer_keys({str(number): source for number, source in enumerate(sources)}) as keys:
        begun = clock()
        await Readiness(set(keys.values()), ScriptedPorts(), within).until_ready()
        return clock() - begun


async def test_a_fresh_server_waits_for_all(source: ScriptedSource, other: ScriptedSource) -> None:
    source.away = True
    asyncio.get_running_loop().call_later(21, lambda: setattr(source, "away", False))
    assert await ready_after(source, other, within=60) == 25


async def test_it_waits_so_long_for_others_that_are_away(
    source: ScriptedSource, other: ScriptedSource, caplog: pytest.LogCaptureFixture
) -> None:
    source.away = True
    assert await ready_after(source, other, within=60) == 60
    assert "gave up waiting for the keys of some issuers" in caplog.messages


async def test_it_waits_for_the_first_as_long_as_it_takes(
    source: ScriptedSource, other: ScriptedSource
) -> None:
    source.away = other.away = True
    asyncio.get_running_loop().call_later(1001, lambda: setattr(source, "away", False))
    assert await ready_after(source, other, within=60) == 1005 + 60


async def test_it_waits_for_all_for_ever_if_that_is_set(
    source: ScriptedSource, other: ScriptedSource
) -> None:
    source.away = True
    asyncio.get_running_loop().call_later(1001, lambda: setattr(source, "away", False))
    assert await ready_after(source, other, within=0) == 1005


async def test_it_waits_for_none_if_there_are_none() -> None:
    assert await ready_after(within=60) == 0
