"""Which claims are compared with what, and what is logged of those that differ."""

from typing import Any

import pytest

from server.auth.claims import TokenRules, check_audience, read_client
from server.auth.errors import TokenRefusedError
from server.auth.key_cache import KeyCache
from server.auth.tokens import TokenVerifier
from tests.support.auth.tokens import ABSENT, AUDIENCE, ISSUER, signer
from tests.support.auth.verifying import RSA


def refusal(claims: dict[str, Any], rules: TokenRules) -> TokenRefusedError:
    with pytest.raises(TokenRefusedError) as raised:
        check_audience(claims, rules)
    return raised.value


@pytest.mark.parametrize("claim", ["client_id", "azp", "https://example.com/client"])
def test_another_claim_may_have_the_audience(claim: str) -> None:
    rules = TokenRules((AUDIENCE,), claim)
    check_audience({claim: AUDIENCE}, rules)
    check_audience({claim: AUDIENCE, "aud": "other"}, rules)
    assert refusal({claim: "other", "aud": AUDIENCE}, rules).check == "InvalidAudience"
    absent: tuple[dict[str, Any], ...] = ({}, {claim: None}, {claim: ""}, {claim: []})
    for claims in absent:
        error = refusal({"aud": AUDIENCE, **claims}, rules)
        assert (error.check, error.shown) == ("MissingRequiredClaim", {"claim": claim})


@pytest.mark.parametrize("audience", [{}, {"aud": []}, {"aud": "anybody"}, {"aud": 5}])
def test_none_is_compared_on_purpose(audience: dict[str, Any]) -> None:
    check_audience(audience, TokenRules((), None))


def test_there_may_be_several_audiences() -> None:
    rules = TokenRules(("one", "two"))
    for audience in ("one", "two", ["two"], ["three", "one"]):
        check_audience({"aud": audience}, rules)
    assert refusal({"aud": ["three", "one two"]}, rules).check == "InvalidAudience"


def test_the_log_shows_the_audience_and_what_is_wanted() -> None:
    rules = TokenRules(("one", "two"))
    assert refusal({"aud": "One", "sub": "a-person"}, rules).shown == {
        "audience": ["One"],
        "wanted": ["one", "two"],
    }
    assert refusal({"aud": ["a", 5, {"b": 1}]}, rules).shown["audience"] == ["a", "a int", "a dict"]


def test_what_it_shows_is_bounded_and_stays_on_its_line() -> None:
    audiences = refusal({"aud": ["x" * 9000, "a\nb\u2028\ud800", *"cdefgh"]}, TokenRules(("one",))).shown
    assert audiences["audience"] == ["x" * 200, "a\\nb\\u2028\\ud800", "c", "d", "e"]


@pytest.fixture
def tokens(keys: KeyCache) -> TokenVerifier:
    return TokenVerifier({ISSUER: keys, "https://two.example": keys}, TokenRules((AUDIENCE,)))


async def shown(tokens: TokenVerifier, token: str) -> tuple[str, object]:
    with pytest.raises(TokenRefusedError) as raised:
        await tokens.verify(token)
    return raised.value.check, raised.value.shown


async def test_the_log_shows_the_issuer_of_a_well_signed_token_alone(tokens: TokenVerifier) -> None:
    slashed = ISSUER.rstrip("/")
    wanted = [ISSUER, "https://two.example"]
    assert await shown(tokens, RSA.token(iss=slashed)) == (
        "InvalidIssuer",
        {"issuer": slashed, "wanted": wanted},
    )
    assert await shown(tokens, RSA.token({"kid": "es256"}, iss=slashed)) == ("InvalidIssuer", {})
    forged = signer("RS256", "another").token({"kid": "rs256"}, iss="https://a-lie")
    assert await shown(tokens, forged) == ("InvalidIssuer", {})
    unknown = signer("RS256", "unknown").token(iss="https://a-lie")
    assert await shown(tokens, unknown) == ("InvalidIssuer", {})


async def test_it_shows_nothing_of_a_forged_audience(tokens: TokenVerifier) -> None:
    forged = signer("RS256", "another").token({"kid": "rs256"}, aud="a-lie")
    assert await shown(tokens, forged) == ("InvalidSignature", {})


async def test_a_token_without_an_issuer_is_nobodys(tokens: TokenVerifier) -> None:
    assert await shown(tokens, RSA.token(iss=ABSENT)) == ("MissingRequiredClaim", {})


async def test_scopes_are_read_from_the_claims_of_the_settings(keys: KeyCache) -> None:
    rules = TokenRules((AUDIENCE,), scope_claims=("scope", "permissions", "roles"))
    token = RSA.token(scope="a b", scp="no", permissions=["c", "d"], roles=["e"], groups=["no"])
    assert (await TokenVerifier({ISSUER: keys}, rules).verify(token)).scopes == set("abcde")


@pytest.mark.parametrize("claim", [None, "", 5, True, ["a"], {"a": "b"}], ids=repr)
def test_a_client_is_named_by_a_text(claim: Any) -> None:
    assert read_client({"client_id": claim, "azp": "web-app"}, ("client_id", "azp")) == "web-app"
    assert read_client({"client_id": claim}, ("client_id", "azp")) is None


def test_a_client_is_shown_as_it_is_if_it_is_printable() -> None:
    printable = "".join(map(chr, range(0x21, 0x7F)))
    assert read_client({"azp": printable}, ("client_id", "azp")) == printable
