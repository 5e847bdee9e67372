"""Which tokens are remembered as valid, for how long, and what ends that."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from server.auth import tokens as tokens_module
from server.auth.claims import TokenRules
from server.auth.errors import KeysUnavailableError
from server.auth.key_cache import KeyCache
from server.auth.tokens import Grant, TokenVerifier
from tests.support.auth.tokens import AUDIENCE, ISSUER, Signer, signer
from tests.support.auth.verifying import NOW, check_of, token
from tests.support.machine.clock import Clock
from tests.support.stand_ins.scripted_keys import ScriptedSource

pytestmark = pytest.mark.usefixtures("day")


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was verified, in order."""
    seen: list[str] = []
    decode: Callable[..., Any] = jwt.decode

    def see(token: str, *arguments: Any, **options: Any) -> Any:
        seen.append(token)
        return decode(token, *arguments, **options)

    monkeypatch.setattr(jwt, "decode", see)
    return seen


async def test_a_remembered_token_is_not_verified_again(
    tokens: TokenVerifier, verified: list[str]
) -> None:
    good = token(scope="a")
    grants = [await tokens.verify(good) for _ in range(10)]
    assert verified == [good]
    assert grants == [Grant(frozenset("a"), NOW + 300)] * 10


async def test_it_is_remembered_until_it_expires_and_no_longer(
    tokens: TokenVerifier, verified: list[str], day: Clock
) -> None:
    good = token()
    await tokens.verify(good)
    day.now = NOW + 299.9
    await tokens.verify(good)
    assert verified == [good]
    day.now = NOW + 300
    await tokens.verify(good)
    await tokens.verify(good)
    assert verified == [good] * 3
    day.now = NOW + 330
    assert await check_of(tokens, good) == "ExpiredSignature"


async def test_a_refused_token_is_not_remembered(
    tokens: TokenVerifier, verified: list[str], day: Clock
) -> None:
    early = token(nbf=NOW + 60)
    assert await check_of(tokens, early) == "ImmatureSignature"
    day.now = NOW + 60
    assert await tokens.verify(early)
    assert verified == [early] * 2


async def test_so_many_are_remembered_and_those_longest_unused_forgotten(
    keys: KeyCache, monkeypatch: pytest.MonkeyPatch, verified: list[str]
) -> None:
    monkeypatch.setattr(tokens_module, "MAX_CACHED", 3)
    tokens = TokenVerifier({ISSUER: keys}, TokenRules((AUDIENCE,)))
    first, *others = (token(jti=str(number)) for number in range(4))
    for one in (first, others[0], others[1], first, others[2]):
        await tokens.verify(one)
    verified.clear()
    await tokens.verify(first)
    assert verified == []
    await tokens.verify(others[0])
    assert verified == [others[0]]
    assert len(tokens._cache) == 3


async def test_what_is_remembered_is_no_token(tokens: TokenVerifier) -> None:
    await tokens.verify(token())
    assert [len(digest) for digest in tokens._cache] == [32]


async def test_a_key_that_is_gone_takes_its_remembered_tokens_along(
    tokens: TokenVerifier, keys: KeyCache, source: ScriptedSource, verified: list[str]
) -> None:
    of_rsa, of_ec = token(), token(signer("ES256"))
    await tokens.verify(of_rsa)
    await tokens.verify(of_ec)
    source.publishes(signer("ES256"))
    await keys._read()
    assert await check_of(tokens, of_rsa) == "kid is not known"
    verified.clear()
    for _ in range(3):
        assert await tokens.verify(of_ec)
    assert verified == [of_ec]


async def test_another_key_under_an_old_id_takes_them_along_too(
    tokens: TokenVerifier, keys: KeyCache, source: ScriptedSource
) -> None:
    of_the_old = token()
    await tokens.verify(of_the_old)
    source.publishes(Signer("rs256", "RS256", signer("RS256", "another").private_key))
    await keys._read()
    assert await check_of(tokens, of_the_old) == "InvalidSignature"


async def test_keys_that_change_while_one_waits_are_those_that_count(
    tokens: TokenVerifier, source: ScriptedSource
) -> None:
    new = signer("ES256", "new")
    source.publishes(new)
    assert await tokens.verify(token(new))
    assert await check_of(tokens, token()) == "kid is not known"


async def test_while_the_keys_are_away_no_token_of_an_unknown_key_is_judged(
    tokens: TokenVerifier, source: ScriptedSource
) -> None:
    source.away = True
    for _ in range(2):
        with pytest.raises(KeysUnavailableError):
            await tokens.verify(signer("RS256", "unknown").token())
    assert await tokens.verify(token())


async def test_many_scopes_are_verified_each_time_and_not_remembered(
    tokens: TokenVerifier, verified: list[str]
) -> None:
    scopes = frozenset(f"scope-{number}" for number in range(100))
    of_many = token(scope=" ".join(scopes))
    for _ in range(2):
        assert (await tokens.verify(of_many)).scopes == scopes
    assert verified == [of_many] * 2
