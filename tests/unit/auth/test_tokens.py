"""Which claims a token must have to be valid."""

import json
from contextlib import suppress
from typing import Any

import pytest

from server.auth.errors import TokenRefusedError
from server.auth.tokens import Grant, TokenVerifier
from tests.support.auth.tokens import ABSENT, AUDIENCE, ISSUER, Signer, all_signers, signer
from tests.support.auth.verifying import NOW, RSA, check_of, token
from tests.support.machine.clock import Clock

pytestmark = pytest.mark.usefixtures("day")


@pytest.mark.parametrize("key", all_signers(), ids=lambda key: key.algorithm)
async def test_a_good_token_is_a_grant(tokens: TokenVerifier, key: Signer) -> None:
    grant = await tokens.verify(token(key, scope="a b", scp=["c"]))
    assert grant == Grant(frozenset("abc"), NOW + 300)


@pytest.mark.parametrize("late", [29, 29.99])
async def test_an_end_is_forgiven_30_s(tokens: TokenVerifier, day: Clock, late: float) -> None:
    day.now = NOW + 300 + late
    assert await tokens.verify(token())
    day.now = NOW + 300 + 30
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


@pytest.mark.parametrize("odd", ["=", "==", "~", "+", "/"])
async def test_a_token_is_the_same_text_to_everybody(tokens: TokenVerifier, odd: str) -> None:
    """Python's base64 ignores characters that other bearer tokens may have."""
    assert await check_of(tokens, token() + odd) == "malformed"
    header, claims, signature = token().split(".")
    assert await check_of(tokens, f"{header}.{claims}.{odd}{signature}") == "malformed"
