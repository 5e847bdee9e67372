import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from server.auth import tokens as tokens_module
from server.auth.claims import TokenRules
from server.auth.errors import KeysUnavailableError, TokenRefusedError
from server.auth.key_cache import KeyCache
from server.auth.tokens import Grant, TokenVerifier
from tests.support.auth.tokens import ABSENT, AUDIENCE, ISSUER, Signer, all_signers, signer
from tests.support.machine.clock import Clock
from tests.support.stand_ins.scripted_keys import ScriptedSource

NOW = 2_000_000_000
RSA = signer("RS256")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of day, for the check and for the cache."""
    clock = Clock(NOW)

    class Moment(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Moment":
            return cls.fromtimestamp(clock.now, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Moment)
    monkeypatch.setattr(tokens_module, "time", SimpleNamespace(time=clock))
    return clock


@pytest.fixture
async def keys(source: ScriptedSource) -> AsyncIterator[KeyCache]:
    async with source.keys().keep_fresh() as keys:
        yield keys


@pytest.fixture
def tokens(keys: KeyCache, clock: Clock) -> TokenVerifier:
    return TokenVerifier({ISSUER: keys}, TokenRules((AUDIENCE,)))


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


def token(key: Signer = RSA, /, **claims: Any) -> str:
    return key.token(**{"iat": NOW, "exp": NOW + 300, **claims})


async def check_of(tokens: TokenVerifier, token: str) -> str:
    with pytest.raises(TokenRefusedError) as raised:
        await tokens.verify(token)
    assert str(raised.value) == "The access token is not valid."
    return raised.value.check


@pytest.mark.parametrize("key", all_signers(), ids=lambda key: key.algorithm)
async def test_a_good_token_is_a_grant(tokens: TokenVerifier, key: Signer) -> None:
    grant = await tokens.verify(token(key, scope="a b", scp=["c"]))
    assert grant == Grant(frozenset("abc"), NOW + 300)


@pytest.mark.parametrize("late", [29, 29.99])
async def test_an_end_is_forgiven_30_s(tokens: TokenVerifier, clock: Clock, late: float) -> None:
    clock.now = NOW + 300 + late
    assert await tokens.verify(token())
    clock.now = NOW + 300 + 30
    assert await check_of(tokens, token()) == "ExpiredSignature"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_beginning_is_forgiven_30_s(tokens: TokenVerifier, claim: str) -> None:
    assert await tokens.verify(token(**{claim: NOW + 30}))
    assert await check_of(tokens, token(**{claim: NOW + 31})) == "ImmatureSignature"


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "odd",
    [str(NOW + 20), "soon", "", [], [NOW + 20], {}, float("inf"), float("nan"), -float("inf")],
    ids=repr,
)
async def test_a_time_is_a_number(tokens: TokenVerifier, claim: str, odd: Any) -> None:
    assert await check_of(tokens, token(**{claim: odd}))


@pytest.mark.parametrize("odd", [10**400, 10**4000])
async def test_an_end_beyond_all_numbers_is_refused(tokens: TokenVerifier, odd: int) -> None:
    assert await check_of(tokens, token(exp=odd)) == "times"


async def test_a_time_may_have_fractions(tokens: TokenVerifier) -> None:
    assert (await tokens.verify(token(exp=NOW + 0.5, nbf=NOW - 0.5))).expires == NOW + 0.5


@pytest.mark.parametrize("claim", ["exp", "iss", "aud"])
@pytest.mark.parametrize("value", [None, ABSENT], ids=["null", "absent"])
async def test_what_is_required_must_be_there(tokens: TokenVerifier, claim: str, value: Any) -> None:
    assert await check_of(tokens, token(**{claim: value})) == "MissingRequiredClaim"


@pytest.mark.parametrize(
    "issuer",
    ["", ISSUER[:-1], ISSUER + "/", ISSUER.upper(), f" {ISSUER}", [ISSUER], {ISSUER: 1}, 1, True],
)
async def test_the_issuer_is_the_one_of_the_settings_to_the_letter(
    tokens: TokenVerifier, issuer: Any
) -> None:
    assert await check_of(tokens, token(iss=issuer)) == "InvalidIssuer"


@pytest.mark.parametrize(
    ("audience", "good"),
    [
        (AUDIENCE, True),
        ([AUDIENCE], True),
        (["other", AUDIENCE], True),
        ("other", False),
        (AUDIENCE.upper(), False),
        (f"{AUDIENCE} other", False),
        (f"{AUDIENCE}/", False),
        ("", False),
        ([], False),
        (["other"], False),
        ([[AUDIENCE]], False),
        ([AUDIENCE, 1], False),
        ({AUDIENCE: 1}, False),
        (1, False),
        (True, False),
    ],
)
async def test_the_audience_is_among_those_it_is_for(
    tokens: TokenVerifier, audience: Any, good: bool
) -> None:
    if good:
        assert await tokens.verify(token(aud=audience))
    else:
        assert await check_of(tokens, token(aud=audience)) in ("InvalidAudience", "MissingRequiredClaim")


async def test_a_null_among_the_audiences_is_passed_over(tokens: TokenVerifier) -> None:
    assert await tokens.verify(token(aud=[None, AUDIENCE]))
    assert await check_of(tokens, token(aud=[None, "other"])) == "InvalidAudience"
    assert await check_of(tokens, token(aud=[None])) == "InvalidAudience"


@pytest.mark.parametrize("claim", ["sub", "jti"])
@pytest.mark.parametrize("value", [5, None, 1.5, ["x"], {}, True], ids=repr)
async def test_what_nobody_reads_may_be_anything(tokens: TokenVerifier, claim: str, value: Any) -> None:
    assert await tokens.verify(token(**{claim: value}))


@pytest.mark.parametrize(
    "claim", ["typ", "token_use", "nonce", "aud", "scope", "iss", "exp", "nbf", "sub"]
)
async def test_claims_that_are_nested_as_deep_as_json_goes_are_no_fault(
    tokens: TokenVerifier, claim: str
) -> None:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, claim: "HERE"}
    nested = json.dumps(claims).encode().replace(b'"HERE"', b"[" * 900 + b"]" * 900)
    header = json.dumps({"alg": "RS256", "kid": "rs256", "typ": "HERE"}).encode()
    for typ in (b'"JWT"', b"[" * 900 + b"]" * 900):
        with suppress(TokenRefusedError):
            await tokens.verify(RSA.signed(header.replace(b'"HERE"', typ), nested))


@pytest.mark.parametrize("header", ["jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256"])
async def test_a_key_that_a_token_brings_along_is_not_looked_at(
    tokens: TokenVerifier, header: str
) -> None:
    attacker = signer("RS256", "attacker")
    brought = {header: attacker.jwk if header == "jwk" else "http://127.0.0.1:9/"}
    assert await tokens.verify(RSA.token(brought, iat=NOW, exp=NOW + 300))
    for kid in ("rs256", "attacker"):
        assert await check_of(tokens, attacker.token({**brought, "kid": kid}, exp=NOW + 300))


async def test_what_is_critical_is_not_overlooked(tokens: TokenVerifier) -> None:
    for crit in (["exp"], ["b64"], [], "b64", None):
        critical = RSA.token({"crit": crit, "b64": True}, exp=NOW + 300)
        assert await check_of(tokens, critical) in ("header crit", "malformed")


async def test_a_remembered_token_is_not_verified_again(
    tokens: TokenVerifier, verified: list[str]
) -> None:
    good = token(scope="a")
    grants = [await tokens.verify(good) for _ in range(10)]
    assert verified == [good]
    assert grants == [Grant(frozenset("a"), NOW + 300)] * 10


async def test_it_is_remembered_until_it_expires_and_no_longer(
    tokens: TokenVerifier, verified: list[str], clock: Clock
) -> None:
    good = token()
    await tokens.verify(good)
    clock.now = NOW + 299.9
    await tokens.verify(good)
    assert verified == [good]
    clock.now = NOW + 300
    await tokens.verify(good)
    await tokens.verify(good)
    assert verified == [good] * 3
    clock.now = NOW + 330
    assert await check_of(tokens, good) == "ExpiredSignature"


async def test_a_refused_token_is_not_remembered(
    tokens: TokenVerifier, verified: list[str], clock: Clock
) -> None:
    early = token(nbf=NOW + 60)
    assert await check_of(tokens, early) == "ImmatureSignature"
    clock.now = NOW + 60
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


@pytest.mark.parametrize("odd", ["=", "==", "~", "+", "/"])
async def test_a_token_is_the_same_text_to_everybody(tokens: TokenVerifier, odd: str) -> None:
    """Python's base64 ignores characters that other bearer tokens may have."""
    assert await check_of(tokens, token() + odd) == "malformed"
    header, claims, signature = token().split(".")
    assert await check_of(tokens, f"{header}.{claims}.{odd}{signature}") == "malformed"
