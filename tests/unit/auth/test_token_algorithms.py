"""By which keys and algorithms a token may be signed, and whose keys they must be."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from unittest.mock import Mock

import jwt
import pytest

from server.auth.claims import TokenRules
from server.auth.key_cache import KeyCache
from server.auth.tokens import TokenVerifier
from tests.support.auth.tokens import ABSENT, ALGORITHMS, AUDIENCE, ISSUER, Signer, signer
from tests.support.auth.verifying import RSA, check_of
from tests.support.stand_ins.scripted_keys import ScriptedSource

RULES = TokenRules((AUDIENCE,))
OTHER = "https://other.example.com"
EC = signer("ES256")


def by(algorithm: str, key: Signer, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """Sign with another algorithm than the key's own, under its kid."""
    return Signer(key.kid, algorithm, key.private_key).token(headers, **claims)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("RS512", "PS256"),
        ("RS256", "RS384"),
        ("RS256", "PS256"),
        ("PS256", "RS256"),
        ("PS256", "PS512"),
    ],
)
async def test_a_key_that_names_its_algorithm_is_for_no_other(
    tokens: TokenVerifier, key: str, algorithm: str
) -> None:
    assert await check_of(tokens, by(algorithm, signer(key))) == "InvalidAlgorithm"
    assert await check_of(tokens, by(algorithm, signer(key), {"kid": algorithm.lower()})) == (
        "InvalidSignature"
    )


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name[:2] in ("RS", "PS")])
async def test_a_key_of_rsa_that_names_none_is_for_all_of_rsa(
    source: ScriptedSource, tokens: TokenVerifier, algorithm: str
) -> None:
    source.publishes({**RSA.bare_jwk, "kid": "bare"})
    assert await tokens.verify(by(algorithm, RSA, {"kid": "bare"}))


@pytest.mark.parametrize("named", ["EdDSA", "Ed25519"])
@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
async def test_an_ed25519_key_is_for_both_names_of_its_algorithm(
    tokens: TokenVerifier, named: str, algorithm: str
) -> None:
    assert await tokens.verify(by(algorithm, signer(named)))


@pytest.mark.parametrize("kid", [name.lower() for name in ALGORITHMS])
async def test_a_token_under_the_kid_of_another_kind_of_key_is_refused(
    tokens: TokenVerifier, kid: str
) -> None:
    for algorithm in ("RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"):
        key = signer(algorithm)
        if not {kid, key.kid} <= {"eddsa", "ed25519"} and kid != key.kid:
            assert await check_of(tokens, key.token({"kid": kid})) == "InvalidAlgorithm"


@pytest.mark.parametrize(
    "algorithm",
    ["none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "hs256", "rs256", "eddsa", "ES256K",
     "RS1", "dir", "RSA-OAEP", 5, None, ["RS256"], {"RS256": 1}, ABSENT],
    ids=repr,
)  # fmt: skip
async def test_any_other_algorithm_is_refused(tokens: TokenVerifier, algorithm: Any) -> None:
    assert await check_of(tokens, RSA.token({"alg": algorithm})) == "algorithm"


async def test_an_algorithm_that_is_not_allowed_is_refused_although_there_is_a_key(
    keys: KeyCache,
) -> None:
    tokens = TokenVerifier({ISSUER: keys}, TokenRules((AUDIENCE,), algorithms=frozenset({"ES256"})))
    assert await tokens.verify(EC.token())
    assert await check_of(tokens, RSA.token()) == "algorithm"
    assert await check_of(tokens, signer("ES384").token()) == "algorithm"


async def test_without_a_kid_the_only_key_of_the_kind_verifies(
    source: ScriptedSource, tokens: TokenVerifier
) -> None:
    bare = {**RSA.bare_jwk, "use": "sig"}
    source.publishes(bare, EC)
    for key in (RSA, EC):
        assert await tokens.verify(key.token({"kid": ABSENT}))
    assert await check_of(tokens, signer("RS256", "another").token({"kid": ABSENT})) == (
        "InvalidSignature"
    )
    assert await check_of(tokens, signer("ES384").token({"kid": ABSENT})) == "no kid"
    assert await check_of(tokens, RSA.token()) == "kid is not known"


async def test_without_a_kid_none_of_several_is_tried(
    source: ScriptedSource, tokens: TokenVerifier
) -> None:
    source.publishes(RSA, signer("RS256", "another"), {**signer("RS256", "third").bare_jwk})
    assert await check_of(tokens, signer("ES256", "unknown").token()) == "kid is not known"
    assert await check_of(tokens, RSA.token({"kid": ABSENT})) == "no kid"


async def test_a_key_without_a_kid_is_rotated(source: ScriptedSource) -> None:
    old, new = RSA, signer("RS256", "another")
    source.publishes(old.bare_jwk)
    async with source.keys().keep_fresh() as keys:
        tokens = TokenVerifier({ISSUER: keys}, RULES)
        assert await tokens.verify(old.token({"kid": ABSENT}))
        source.publishes(new.bare_jwk)
        assert await tokens.verify(new.token({"kid": ABSENT}))
        assert await check_of(tokens, old.token({"kid": ABSENT})) == "InvalidSignature"
        assert source.asked == 2


async def test_a_bad_signature_under_a_known_kid_asks_no_key_server(
    source: ScriptedSource, tokens: TokenVerifier
) -> None:
    assert await check_of(tokens, signer("RS256", "another").token({"kid": "rs256"})) == (
        "InvalidSignature"
    )
    assert source.asked == 1


async def test_a_bad_signature_without_a_kid_asks_once_in_30_s_and_is_verified_once_more_at_most(
    source: ScriptedSource, tokens: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = Mock(wraps=jwt.decode)
    monkeypatch.setattr(jwt, "decode", decode)
    forged = signer("ES384", "another").token({"kid": ABSENT})
    for _ in range(5):
        assert await check_of(tokens, forged) == "InvalidSignature"
    assert (source.asked, decode.call_count) == (2, 5)


async def test_two_keys_of_different_kinds_may_have_one_kid(
    source: ScriptedSource, tokens: TokenVerifier
) -> None:
    both = [signer(algorithm, "one") for algorithm in ("RS256", "ES256")]
    source.publishes(*both)
    for key in both:
        assert await tokens.verify(key.token())
    assert await check_of(tokens, RSA.token({"kid": "one"})) == "InvalidSignature"
    assert await check_of(tokens, signer("ES384").token({"kid": "one"})) == "InvalidAlgorithm"


@pytest.mark.parametrize("members", [{"use": ""}, {"alg": "rs256"}, {"use": "", "alg": "Rs256"}])
async def test_a_key_is_read_with_tolerance(
    source: ScriptedSource, tokens: TokenVerifier, members: dict[str, str]
) -> None:
    source.publishes({**RSA.jwk, **members, "kid": "odd"})
    assert await tokens.verify(RSA.token({"kid": "odd"}))
    assert await check_of(tokens, by("PS256", RSA, {"kid": "odd"})) == "InvalidAlgorithm"


@pytest.fixture
async def both(source: ScriptedSource) -> AsyncIterator[tuple[TokenVerifier, ScriptedSource]]:
    """Two issuers, each with a key set of its own in which the kids are alike."""
    other = ScriptedSource()
    source.publishes(RSA, EC)
    other.publishes(_OF_OTHER, signer("ES256", "other"))
    async with AsyncExitStack() as stack:
        keys = {
            issuer: await stack.enter_async_context(scripted.keys().keep_fresh())
            for issuer, scripted in ((ISSUER, source), (OTHER, other))
        }
        yield TokenVerifier(keys, RULES), other


_OF_OTHER = Signer("rs256", "RS256", signer("RS256", "of the other").private_key)


async def test_each_issuer_has_keys_of_its_own(both: tuple[TokenVerifier, ScriptedSource]) -> None:
    tokens, _ = both
    assert await tokens.verify(RSA.token())
    assert await tokens.verify(_OF_OTHER.token(iss=OTHER))
    assert await check_of(tokens, RSA.token(iss=OTHER)) == "InvalidSignature"
    assert await check_of(tokens, _OF_OTHER.token()) == "InvalidSignature"
    assert await check_of(tokens, signer("ES256", "other").token()) == "kid is not known"
    assert await check_of(tokens, EC.token(iss=OTHER)) == "kid is not known"
    assert await check_of(tokens, EC.token({"kid": ABSENT}, iss=OTHER)) == "InvalidSignature"


async def test_a_key_that_comes_to_one_issuer_leaves_the_others_tokens_remembered(
    both: tuple[TokenVerifier, ScriptedSource], source: ScriptedSource
) -> None:
    tokens, other = both
    ours, theirs = RSA.token(), _OF_OTHER.token(iss=OTHER)
    for token in (ours, theirs):
        assert await tokens.verify(token)
    other.publishes(_OF_OTHER, signer("ES384", "new"))
    assert await tokens.verify(signer("ES384", "new").token(iss=OTHER))
    assert tokens.find_cached(ours)
    assert tokens.find_cached(theirs) is None
    assert (source.asked, other.asked) == (1, 2)


async def test_an_issuer_that_is_nobodys_asks_no_key_server(
    both: tuple[TokenVerifier, ScriptedSource], source: ScriptedSource
) -> None:
    tokens, other = both
    for key in (RSA, _OF_OTHER, signer("RS256", "unknown"), signer("ES512")):
        for headers in ({}, {"kid": ABSENT}):
            assert await check_of(tokens, key.token(headers, iss="https://nobody")) == "InvalidIssuer"
    assert (source.asked, other.asked) == (1, 1)


async def test_issuers_may_share_a_key_set(keys: KeyCache) -> None:
    tokens = TokenVerifier(dict.fromkeys((ISSUER, OTHER), keys), RULES)
    for issuer in (ISSUER, OTHER):
        assert await tokens.verify(RSA.token(iss=issuer))
    assert await check_of(tokens, RSA.token(iss=f"{OTHER}/")) == "InvalidIssuer"
