"""Who waits for an introspection, and for how many at once, while junk floods in."""

import asyncio
from contextlib import suppress

import pytest

from server.auth import introspected_tokens
from server.auth.errors import TokenRefusedError
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_gate import FAILURES
from tests.support.stand_ins.scripted_introspection import (
    ScriptedIntrospection,
    refused,
    unavailable,
    verify,
)


@pytest.fixture
def tokens(issuer: ScriptedIntrospection) -> IntrospectedTokens:
    return issuer.tokens()


async def test_and_those_who_come_at_the_same_time_are_one_request_all_the_same(
    issuer: ScriptedIntrospection,
) -> None:
    tokens = issuer.tokens(cache_ttl_ms=0)
    issuer.knows("good")
    issuer.takes = 1
    assert all(await asyncio.gather(*(verify(tokens, "good") for _ in range(100))))
    assert len(issuer.asked) == 1


async def test_many_with_one_token_are_one_request_that_no_caller_ends(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    issuer.takes = 1
    first, *others = (asyncio.create_task(verify(tokens, "good")) for _ in range(100))
    await asyncio.sleep(0.5)
    first.cancel()
    assert len(await asyncio.gather(*others)) == 99
    assert first.cancelled()
    assert len(issuer.asked) == 1


async def test_a_request_that_everybody_has_left_is_not_in_vain(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    issuer.takes = 1
    asking = asyncio.create_task(verify(tokens, "good"))
    await asyncio.sleep(0.5)
    asking.cancel()
    await asyncio.sleep(1)
    assert tokens.find_cached("good")


async def test_so_many_are_asked_about_at_once(issuer: ScriptedIntrospection) -> None:
    tokens = issuer.tokens(max_concurrent_requests=4)
    issuer.takes = 0.1  # forty a second, of fifty that there are turns for
    async with asyncio.TaskGroup() as flood:
        for number in range(100):
            flood.create_task(try_junk(tokens, number))
    assert issuer.most_under_way == 4


async def test_so_many_unknown_ones_are_asked_about_in_a_second(issuer: ScriptedIntrospection) -> None:
    tokens = issuer.tokens(max_new_per_second=10)
    async with asyncio.TaskGroup() as flood:
        for number in range(1000):
            flood.create_task(try_junk(tokens, number))
            await asyncio.sleep(0.005)
    assert len(issuer.asked) == pytest.approx(50, abs=11)


async def test_a_known_token_goes_before_a_flood_of_junk(issuer: ScriptedIntrospection) -> None:
    tokens = issuer.tokens(max_concurrent_requests=4)
    issuer.knows("good")
    await verify(tokens, "good")
    await asyncio.sleep(30)
    issuer.takes = 0.1
    async with asyncio.TaskGroup() as flood:
        for number in range(100):
            flood.create_task(try_junk(tokens, number))
        await asyncio.sleep(0)
        assert await verify(tokens, "good")
    assert [token for token, _ in issuer.asked].index("good", 1) == 2


async def test_a_new_token_gets_in_at_its_second_try_at_the_latest_whatever_junk_comes(
    issuer: ScriptedIntrospection,
) -> None:
    tokens = issuer.tokens(max_concurrent_requests=4)
    issuer.takes = 0.5  # eight a second, of a hundred that come
    tries = []
    async with asyncio.TaskGroup() as flood:
        for number in range(1000):
            flood.create_task(try_junk(tokens, number))
            if number % 100 == 50:
                tries.append(flood.create_task(tries_of(tokens, issuer.knows(f"good-{number}"))))
            await asyncio.sleep(0.01)
    assert {task.result() for task in tries} <= {1, 2}
    assert issuer.most_under_way == 4


async def try_junk(tokens: IntrospectedTokens, number: int) -> None:
    with suppress(TokenRefusedError):
        await unavailable(tokens, f"junk-{number}")


async def tries_of(tokens: IntrospectedTokens, token: str) -> int:
    """Try a token each second, as by Retry-After, until it is admitted."""
    tries = 1
    while await unavailable(tokens, token):
        await asyncio.sleep(1)
        tries += 1
    return tries


async def test_junk_that_makes_the_issuer_fail_keeps_no_known_token_out(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    await verify(tokens, "good")
    await asyncio.sleep(29)
    issuer.fails(500)
    for number in range(100):
        assert await unavailable(tokens, f"junk-{number}")
    assert len(issuer.asked) == 1 + FAILURES
    issuer.is_well()
    assert await verify(tokens, "good")
    await asyncio.sleep(0.1)
    assert len(issuer.asked_about("good")) == 2


async def test_those_who_wait_for_a_turn_are_not_asked_about_once_the_issuer_is_left_alone(
    issuer: ScriptedIntrospection,
) -> None:
    tokens = issuer.tokens(max_concurrent_requests=1)
    issuer.fails(500)
    issuer.takes = 0.05
    outcomes = await asyncio.gather(*(unavailable(tokens, f"new-{number}") for number in range(15)))
    assert all(outcomes)
    assert len(issuer.asked) == FAILURES


async def test_so_many_callers_wait_at_most(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspected_tokens, "MAX_CALLERS", 10)
    issuer.knows("good")
    issuer.takes = 1
    outcomes = await asyncio.gather(*(unavailable(tokens, "good") for _ in range(100)))
    assert outcomes.count(False) == 10
    assert await verify(tokens, "good")


async def test_however_many_wait_with_one_token_another_is_asked_about(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspected_tokens, "MAX_CALLERS", 10)
    issuer.knows("good")
    issuer.takes = 1
    flood = [asyncio.create_task(refused(tokens, "junk")) for _ in range(10)]
    await asyncio.sleep(0)
    assert await unavailable(tokens, "junk")
    assert await verify(tokens, "good")
    await asyncio.gather(*flood)


async def test_at_the_end_nothing_is_left_behind(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.takes = 100
    asking = [asyncio.create_task(verify(tokens, f"junk-{number}")) for number in range(50)]
    await asyncio.sleep(0.5)
    await tokens.aclose()
    await asyncio.gather(*asking, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
