"""Which token goes to which check, and that none gets a second chance."""

from typing import Any, cast

import pytest
from jwt.utils import base64url_encode

from server.auth.errors import TokenRefusedError
from server.auth.routed_tokens import RoutedTokens
from server.auth.tokens import Grant
from tests.support.auth.tokens import signer

GRANT = Grant(frozenset(), 0)
JWT = signer("ES256").token()
JWE = base64url_encode(b'{"alg":"dir","enc":"A128GCM"}').decode() + "..a.b.c"
JSON = base64url_encode(b'{"id":1}').decode() + ".a"


class ScriptedCheck:
    """Grants some tokens, and refuses all others."""

    def __init__(self, *good: str) -> None:
        self.good = good
        self.asked: list[str] = []
        self.known: set[str] = set()

    def find_cached(self, token: str) -> Grant | None:
        return GRANT if token in self.known else None

    async def verify(self, token: str) -> Grant:
        self.asked.append(token)
        if token not in self.good:
            raise TokenRefusedError("scripted")
        self.known.add(token)
        return GRANT


def routed(signed: ScriptedCheck, introspected: ScriptedCheck) -> RoutedTokens:
    return RoutedTokens(cast("Any", signed), cast("Any", introspected))


@pytest.mark.parametrize("token", [JWT, "a.b.c", "..", "a.b.", ".b.c", "a-_.b-_.c-_"])
async def test_three_parts_in_base64url_are_verified_by_key_and_never_introspected(token: str) -> None:
    signed, introspected = ScriptedCheck(), ScriptedCheck(token)
    with pytest.raises(TokenRefusedError):
        await routed(signed, introspected).verify(token)
    assert (signed.asked, introspected.asked) == ([token], [])


@pytest.mark.parametrize("behind", ["=", "==", "~", "+", "/", ".", ".a", "~a.b.c~"])
async def test_a_jwt_with_more_behind_it_gets_no_second_chance(behind: str) -> None:
    token = JWT + behind
    signed, introspected = ScriptedCheck(), ScriptedCheck(token)
    with pytest.raises(TokenRefusedError):
        await routed(signed, introspected).verify(token)
    assert (signed.asked, introspected.asked) == ([token], [])


@pytest.mark.parametrize(
    "token",
    ["a", "a.b", "a.b.c.d", "a.b.c.d.e", "lph_at_a", "a.b.c=", "a.b.c~", "a.b+.c", "a/.b.c", JWE, JSON],
)
async def test_all_others_are_introspected_alone(token: str) -> None:
    signed, introspected = ScriptedCheck(token), ScriptedCheck()
    with pytest.raises(TokenRefusedError):
        await routed(signed, introspected).verify(token)
    assert (signed.asked, introspected.asked) == ([], [token])


@pytest.mark.parametrize("token", [JWT, "lph_at_a", "a.b", "a.b.c="])
async def test_what_either_remembers_is_found(token: str) -> None:
    checks = ScriptedCheck(token), ScriptedCheck(token)
    tokens = routed(*checks)
    assert tokens.find_cached(token) is None
    assert await tokens.verify(token) is tokens.find_cached(token)
