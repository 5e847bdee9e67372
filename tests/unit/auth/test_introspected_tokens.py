"""How rarely tokens are introspected, and who waits for it."""

import asyncio
import contextvars
from contextlib import suppress
from itertools import pairwise

import pytest

from server.auth import introspected_tokens, introspection_cache
from server.auth.errors import IntrospectionUnavailableError, TokenRefusedError
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_gate import FAILURES
from server.auth.tokens import Grant
from tests.support.stand_ins.scripted_introspection import ScriptedIntrospection, in_seconds


@pytest.fixture
def issuer() -> ScriptedIntrospection:
    return ScriptedIntrospection()


@pytest.fixture
def tokens(issuer: ScriptedIntrospection) -> IntrospectedTokens:
    return issuer.tokens()


async def verify(tokens: IntrospectedTokens, token: str) -> Grant:
    """Verify a token as the authenticator does."""
    return tokens.find_cached(token) or await tokens.verify(token)


async def refused(tokens: IntrospectedTokens, token: str) -> str:
    with pytest.raises(TokenRefusedError) as raised:
        await verify(tokens, token)
    return raised.value.check


async def unavailable(tokens: IntrospectedTokens, token: str) -> bool:
    try:
        await verify(tokens, token)
    except IntrospectionUnavailableError:
        return True
    return False


async def test_a_good_answer_is_used_for_30_s_since_it_was_asked_for(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good", scope="a")
    issuer.takes = 1
    assert (await verify(tokens, "good")).scopes == {"a"}
    await asyncio.sleep(22.9)
    assert tokens.find_cached("good")
    assert len(issuer.asked) == 1
    await asyncio.sleep(6.1)
    assert tokens.find_cached("good") is None


async def test_a_revoked_token_lives_no_longer(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    await verify(tokens, "good")
    del issuer.active["good"]
    await asyncio.sleep(29)
    issuer.takes = 5
    assert await verify(tokens, "good")
    await asyncio.sleep(1)
    assert await refused(tokens, "good") == "inactive"
    assert len(issuer.asked) == 2


async def test_who_goes_on_using_a_token_never_waits_for_its_renewal(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    await verify(tokens, "good")
    issuer.takes = 3
    for _ in range(1000):
        assert tokens.find_cached("good")
        await asyncio.sleep(0.1)
    asked = issuer.asked_about("good")
    assert [later - before for before, later in pairwise(asked)] == pytest.approx(
        [24, 24, 24, 24], abs=0.2
    )


async def test_a_renewal_that_shows_it_revoked_ends_it_at_once(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    await verify(tokens, "good")
    del issuer.active["good"]
    await asyncio.sleep(24)
    assert tokens.find_cached("good")
    await asyncio.sleep(0.1)
    assert await refused(tokens, "good") == "inactive"


async def test_a_renewal_that_fails_is_tried_each_second_and_changes_nothing_before_its_time(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    await verify(tokens, "good")
    issuer.fails()
    for _ in range(299):
        assert tokens.find_cached("good")
        await asyncio.sleep(0.1)
    assert len(issuer.asked) - 1 == FAILURES
    await asyncio.sleep(0.2)
    assert await unavailable(tokens, "good")


async def test_nothing_is_used_past_its_exp(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good", exp=in_seconds(10))
    await verify(tokens, "good")
    await asyncio.sleep(9.9)
    assert tokens.find_cached("good")
    await asyncio.sleep(0.2)
    assert tokens.find_cached("good") is None


async def test_one_within_the_clocks_skew_is_let_in_and_not_remembered(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("late", exp=in_seconds(-20))
    assert await verify(tokens, "late")
    assert tokens.find_cached("late") is None
    assert await verify(tokens, "late")
    assert len(issuer.asked) == 2


async def test_an_inactive_token_is_asked_about_again_after_5_s(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    for _ in range(10):
        assert await refused(tokens, "junk") == "inactive"
    await asyncio.sleep(4.9)
    assert await refused(tokens, "junk") == "inactive"
    assert len(issuer.asked) == 1
    issuer.knows("junk")
    await asyncio.sleep(0.1)
    assert await verify(tokens, "junk")


async def test_what_the_check_was_is_remembered_too(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("dpop", token_type="DPoP")  # noqa: S106 - no secret
    assert [await refused(tokens, "dpop") for _ in range(2)] == ["token_type"] * 2
    assert len(issuer.asked) == 1


async def test_without_a_cache_each_is_asked_about_each_time(issuer: ScriptedIntrospection) -> None:
    tokens = issuer.tokens(cache_ttl_ms=0)
    issuer.knows("good")
    for _ in range(3):
        assert await verify(tokens, "good")
        assert await refused(tokens, "junk")
    assert len(issuer.asked) == 6


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


async def test_a_request_belongs_to_no_caller_s_context(
    issuer: ScriptedIntrospection, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = contextvars.ContextVar("request_id", default="none")
    seen = []

    async def introspect(token: str) -> dict[str, bool]:
        seen.append(request_id.get())
        return {"active": True}

    monkeypatch.setattr(ScriptedIntrospection, "__call__", lambda _, token: introspect(token))
    request_id.set("the caller's")
    await verify(issuer.tokens(), "good")
    assert seen == ["none"]


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


async def test_an_error_of_any_kind_lets_nobody_in_and_is_over_with_its_cause(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.knows("good")
    issuer.failure = UnicodeError("odd")
    assert await unavailable(tokens, "good")
    issuer.is_well()
    assert await verify(tokens, "good")


async def test_junk_pushes_out_junk_alone(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspection_cache, "MAX_REFUSALS", 10)
    issuer.knows("good")
    await verify(tokens, "good")
    for number in range(50):
        await refused(tokens, f"junk-{number}")
    assert tokens.find_cached("good")
    await refused(tokens, "junk-49")
    await refused(tokens, "junk-0")
    assert (len(issuer.asked_about("junk-49")), len(issuer.asked_about("junk-0"))) == (1, 2)


async def test_at_the_end_nothing_is_left_behind(
    issuer: ScriptedIntrospection, tokens: IntrospectedTokens
) -> None:
    issuer.takes = 100
    asking = [asyncio.create_task(verify(tokens, f"junk-{number}")) for number in range(50)]
    await asyncio.sleep(0.5)
    await tokens.aclose()
    await asyncio.gather(*asking, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}
