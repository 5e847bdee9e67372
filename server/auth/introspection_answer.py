"""Reads the responses of an introspection endpoint (RFC 7662, section 2.2)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.auth.claims import (
    TokenRules,
    check_audience,
    read_client,
    read_scopes,
    rules_of,
    shorten,
)
from server.auth.errors import TokenRefusedError
from server.auth.issuer_client import parse_json
from server.auth.issuer_errors import IssuerError
from server.auth.signed import CLOCK_SKEW_SECONDS
from server.auth.token_type import check_type
from server.auth.tokens import Grant
from server.config.introspection import IntrospectionSettings
from server.config.tokens import TokenSettings

Answer = Mapping[str, Any]

# Some servers name the type as the hint is called (RFC 7009).
_ACCESS_TYPES = ("bearer", "access_token")
_ACCESS_USES = ("access", "access_token")
_TIMES = ("exp", "nbf", "iat")


@dataclass(frozen=True)
class Expected:
    """What a response must have to be accepted."""

    rules: TokenRules = field(default_factory=TokenRules)
    """The audience is compared only if there are some, and the response has the claim."""
    issuers: tuple[str, ...] = ()
    """One of them must be `iss`, if there are some, and the response has it."""
    required: frozenset[str] = frozenset()
    """Claims that must be present."""


def expected_of(tokens: TokenSettings, introspection: IntrospectionSettings) -> Expected:
    """Return what is expected, as configured."""
    return Expected(rules_of(tokens), tokens.issuer, introspection.require)


def parse_answer(document: bytes) -> Answer:
    """Parse a response; raises IssuerError unless its `active` is true or false."""
    answer = parse_json(document)
    if not isinstance(answer, dict) or not isinstance(answer.get("active"), bool):
        raise IssuerError("no introspection answer: `active` is neither true nor false")
    # A null in JSON counts as absent.
    return {name: value for name, value in answer.items() if value is not None}


def read_grant(answer: Answer, expected: Expected, now: float) -> Grant:
    """Read what a token grants now (seconds since 1970); raises TokenRefusedError."""
    if not answer["active"]:
        raise TokenRefusedError("inactive")
    for name in expected.required:
        if name not in answer:
            raise TokenRefusedError(f"no {name}")
    _check_kind(answer)
    _check_origin(answer, expected)
    rules = expected.rules
    return Grant(
        read_scopes(answer, rules.scope_claims),
        _check_times(answer, now),
        read_client(answer, rules.client_claims),
    )


def _check_kind(answer: Answer) -> None:
    """Refuse refresh tokens and ID tokens, which may be introspected too, and those bound to a key.

    Hydra names refresh tokens by `token_use`, Keycloak by `typ`; DPoP is a `token_type`.
    """
    for name, accepted in (("token_type", _ACCESS_TYPES), ("token_use", _ACCESS_USES)):
        if name in answer and _lower(answer[name]) not in accepted:
            raise TokenRefusedError(name)
    check_type({}, {**answer, "token_use": "access"}, typed=False)


def _lower(claim: Any) -> str:
    return claim.lower() if isinstance(claim, str) else ""


def _check_origin(answer: Answer, expected: Expected) -> None:
    if expected.issuers and "iss" in answer and answer["iss"] not in expected.issuers:
        issuer = shorten(answer["iss"])
        raise TokenRefusedError("InvalidIssuer", issuer=issuer, wanted=list(expected.issuers))
    if expected.rules.audiences and expected.rules.audience_claim in answer:
        check_audience(answer, expected.rules)


def _check_times(answer: Answer, now: float) -> float:
    """Return when the token expires, infinity if the response has no `exp`."""
    times = {name: _seconds(answer[name]) for name in _TIMES if name in answer}
    expires = times.get("exp", math.inf)
    if expires <= now - CLOCK_SKEW_SECONDS:
        raise TokenRefusedError("ExpiredSignature")
    if times.get("nbf", 0) > now + CLOCK_SKEW_SECONDS:
        raise TokenRefusedError("ImmatureSignature")
    return expires


def _seconds(claim: Any) -> float:
    try:
        seconds = math.nan if isinstance(claim, bool | str) else float(claim)
    except (TypeError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds):
        raise TokenRefusedError("times")
    return seconds
