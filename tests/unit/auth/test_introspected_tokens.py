"""How rarely tokens are introspected, and for how long an answer is used."""

import asyncio
import contextvars
from itertools import pairwise

import pytest

from server.auth import introspection_cache
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_gate import FAILURES
from tests.support.stand_ins.scripted_introspection import (
    ScriptedIntrospection,
    in_seconds,
    refused,
    unavailable,
    verify,
)


@pytest.fixture
def tokens(issuer: ScriptedIntrospection) -> IntrospectedTokens:
    return issuer.tokens()


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
