"""What the claims of a well-signed token must be, and what they grant."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.auth.errors import TokenRefusedError
from server.config.tokens import ALGORITHMS, TokenSettings

_TIMES = ("exp", "nbf", "iat")
_MAX_SHOWN = 200
"""Characters of an issuer or an audience that are logged at most."""
_MAX_SHOWN_AUDIENCES = 5
_MAX_CLIENT = 100
"""Characters of a client's name that are logged at most."""
_NOT_SHOWN = re.compile("[^!-~]")


@dataclass(frozen=True)
class TokenRules:
    """What a token must satisfy, whatever its issuer."""

    audiences: tuple[str, ...] = ()
    audience_claim: str | None = "aud"
    """The claim that has the audience; with None it is not compared."""
    algorithms: frozenset[str] = frozenset(ALGORITHMS)
    typed: bool = False
    """Whether the header must have the type `at+jwt`."""
    scope_claims: tuple[str, ...] = ("scope", "scp")
    client_claims: tuple[str, ...] = ("client_id", "azp")


def rules_of(settings: TokenSettings) -> TokenRules:
    """Return the rules as configured."""
    return TokenRules(
        settings.audience,
        settings.audience_claim if settings.compares_audience else None,
        frozenset(settings.algorithms),
        settings.token_type == "at+jwt",  # noqa: S105 - no secret
        settings.scope_claims,
        settings.client_claims,
    )


def check_audience(claims: Mapping[str, Any], rules: TokenRules) -> None:
    """Raise TokenRefusedError unless a token is for one of the audiences.

    A null in a list of audiences is skipped.
    """
    if rules.audience_claim is None:
        return
    claim = claims.get(rules.audience_claim)
    if not claim:
        raise TokenRefusedError("MissingRequiredClaim", claim=rules.audience_claim)
    audiences = [entry for entry in (claim if isinstance(claim, list) else [claim]) if entry is not None]
    if not (
        all(isinstance(entry, str) for entry in audiences) and set(audiences) & set(rules.audiences)
    ):
        shown = [shorten(entry) for entry in audiences[:_MAX_SHOWN_AUDIENCES]]
        raise TokenRefusedError("InvalidAudience", audience=shown, wanted=list(rules.audiences))


def read_scopes(claims: Mapping[str, Any], names: tuple[str, ...]) -> frozenset[str]:
    """Read the claims that grant scopes: text with spaces (RFC 9068, section 2.2.3), or a list."""
    scopes: set[str] = set()
    for name in names:
        claim = claims.get(name, "")
        listed = claim.split() if isinstance(claim, str) else claim
        if isinstance(listed, list):
            scopes.update(scope for scope in listed if isinstance(scope, str))
    return frozenset(scopes)


def read_client(claims: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Read the first of the claims that names the client, for the log; None without one.

    It is cut, and what is not printable ASCII or is a space becomes `?`: no issuer can forge a line.
    """
    for name in names:
        claim = claims.get(name)
        if isinstance(claim, str) and claim:
            return _NOT_SHOWN.sub("?", claim[:_MAX_CLIENT])
    return None


def expiry_of(claims: Mapping[str, Any]) -> float:
    """Read `exp`; raises TokenRefusedError if a time is text, which PyJWT would read."""
    if not all(isinstance(claims[name], int | float) for name in _TIMES if name in claims):
        raise TokenRefusedError("times")
    try:
        return float(claims["exp"])
    except OverflowError as error:
        raise TokenRefusedError("times") from error


def shorten(value: Any) -> str:
    """Cut a claim for the log, with nothing in it that could end the line."""
    text = value if isinstance(value, str) else f"a {type(value).__name__}"
    return text[:_MAX_SHOWN].encode("unicode_escape").decode()
