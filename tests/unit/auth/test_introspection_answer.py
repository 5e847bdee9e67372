"""Which introspection responses admit a caller, and which do not."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from server.auth.claims import TokenRules
from server.auth.errors import TokenRefusedError
from server.auth.introspection_answer import Expected, parse_answer, read_grant
from server.auth.issuer_errors import IssuerError
from server.auth.tokens import Grant

NOW = 1_800_000_000.0
ISSUER = "https://issuer.example.com/"
EXPECTED = Expected(TokenRules(("livecalls", "calls")), (ISSUER, "https://other.example.com"))


def refused(answer: dict[str, Any], expected: Expected = EXPECTED) -> str:
    with pytest.raises(TokenRefusedError) as raised:
        read_grant({"active": True, **answer}, expected, NOW)
    return raised.value.check


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'{"active": "true"}',
        b'{"active": 1}',
        b'{"active": null}',
        b'{"active": {"is": true}}',
        b'{"Active": true}',
        b'{"active": true',
        b'{"active": true}{}',
        b'{"active": tru\xff}',
        b'{"active":' + b"[" * 100_000,
    ],
)
def test_what_does_not_name_it_active_or_not_is_no_answer(document: bytes) -> None:
    with pytest.raises(IssuerError):
        parse_answer(document)


def test_null_stands_for_what_is_not_there() -> None:
    document = {"active": True, "aud": None, "iss": None, "exp": None, "token_type": None}
    answer = parse_answer(json.dumps(document).encode())
    assert answer == {"active": True}
    assert read_grant(answer, EXPECTED, NOW).expires == math.inf


def test_an_inactive_token_is_refused_whatever_else_is_there() -> None:
    assert refused({"active": False, "scope": "a", "exp": NOW + 100}) == "inactive"


def test_a_bare_answer_lets_in_with_no_scope() -> None:
    assert read_grant({"active": True}, EXPECTED, NOW) == Grant(frozenset(), math.inf)


def test_a_whole_one_is_read() -> None:
    answer = {
        "active": True,
        "scope": "calls:read calls:list",
        "client_id": "app",
        "sub": 1,
        "username": None,
        "brand": "x",
        "token_type": "Bearer",
        "exp": NOW + 100,
        "nbf": 0,
        "iat": NOW,
        "iss": ISSUER,
        "aud": ["else", None, "calls"],
    }
    scopes = frozenset({"calls:read", "calls:list"})
    assert read_grant(answer, EXPECTED, NOW) == Grant(scopes, NOW + 100, "app")


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ({"exp": NOW - 30}, "ExpiredSignature"),
        ({"exp": 0}, "ExpiredSignature"),
        ({"nbf": NOW + 31}, "ImmatureSignature"),
        ({"exp": str(int(NOW) + 100)}, "times"),
        ({"exp": True}, "times"),
        ({"exp": [NOW + 100]}, "times"),
        ({"exp": math.nan}, "times"),
        ({"exp": math.inf}, "times"),
        ({"exp": 10**400}, "times"),
        ({"nbf": "soon"}, "times"),
        ({"iat": "today"}, "times"),
        ({"iss": "https://issuer.example.com"}, "InvalidIssuer"),
        ({"iss": ""}, "InvalidIssuer"),
        ({"iss": [ISSUER]}, "InvalidIssuer"),
        ({"iss": {ISSUER: 1}}, "InvalidIssuer"),
        ({"aud": "else"}, "InvalidAudience"),
        ({"aud": "livecalls calls"}, "InvalidAudience"),
        ({"aud": []}, "MissingRequiredClaim"),
        ({"aud": ["else", 1, None, ["calls"]]}, "InvalidAudience"),
        ({"aud": 1}, "InvalidAudience"),
        ({"aud": {"livecalls": 1}}, "InvalidAudience"),
        ({"token_type": "DPoP"}, "token_type"),
        ({"token_type": "refresh_token"}, "token_type"),
        ({"token_type": ""}, "token_type"),
        ({"token_type": ["Bearer"]}, "token_type"),
        ({"typ": "Refresh"}, "typ of another token"),
        ({"typ": "ID"}, "typ of another token"),
        ({"at_hash": "x"}, "ID token"),
        ({"nonce": "x"}, "ID token"),
        ({"token_use": "refresh_token"}, "token_use"),
        ({"token_use": "id"}, "token_use"),
    ],
)
def test_an_active_token_may_not_be_for_here(answer: dict[str, Any], check: str) -> None:
    assert refused(answer) == check


@pytest.mark.parametrize(
    "answer",
    [
        {"exp": NOW - 29},
        {"nbf": NOW + 30},
        {"exp": int(NOW) + 1},
        {"iss": "https://other.example.com"},
        {"aud": "livecalls"},
        {"token_type": "bearer"},
        {"token_type": "BEARER"},
        {"token_type": "access_token"},
        {"typ": "Bearer"},
        {"token_use": "access_token"},
        {"token_use": "access"},
        {"client_id": "whoever"},
    ],
)
def test_these_are_for_here(answer: dict[str, Any]) -> None:
    assert read_grant({"active": True, **answer}, EXPECTED, NOW)


def test_issuer_and_audience_are_not_compared_unless_they_are_set() -> None:
    answer = {"active": True, "iss": "anybody", "aud": "anything"}
    assert read_grant(answer, Expected(), NOW)


def test_claims_may_be_required() -> None:
    expected = replace(EXPECTED, required=frozenset({"iss", "aud"}))
    assert refused({"iss": ISSUER}, expected) == "no aud"
    assert refused({"aud": "calls"}, expected) == "no iss"
    assert read_grant({"active": True, "iss": ISSUER, "aud": "calls"}, expected, NOW)


def test_another_claim_may_be_compared_with_the_audience() -> None:
    expected = Expected(TokenRules(("app",), "client_id"))
    assert refused({"client_id": "another"}, expected) == "InvalidAudience"
    assert read_grant({"active": True, "client_id": "app", "aud": []}, expected, NOW)


def test_other_claims_may_grant_scopes() -> None:
    expected = Expected(TokenRules(scope_claims=("permissions",)))
    answer = {"active": True, "scope": "a", "permissions": ["b", "c"]}
    assert read_grant(answer, expected, NOW).scopes == {"b", "c"}


def test_the_log_shows_what_is_said_and_what_is_wanted() -> None:
    with pytest.raises(TokenRefusedError) as raised:
        read_grant({"active": True, "iss": "x" * 1000, "sub": "a-person"}, EXPECTED, NOW)
    assert raised.value.shown == {"issuer": "x" * 200, "wanted": list(EXPECTED.issuers)}
