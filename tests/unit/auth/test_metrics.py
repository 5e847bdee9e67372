from contextlib import suppress

import pytest

from server.auth.authenticator import TokenAuthenticator
from server.auth.errors import (
    IntrospectionUnavailableError,
    KeysUnavailableError,
    NotAdmittedError,
    TokenRefusedError,
)
from server.auth.tokens import Grant
from tests.support.callers.metrics import growing
from tests.support.stand_ins.scripted_introspection import ScriptedIntrospection

GRANT = Grant(frozenset({"read"}), 0.0)


class Verifier:
    """Knows no token yet, and returns or raises what it is told to."""

    def __init__(self, outcome: Grant | Exception, cached: Grant | None = None) -> None:
        self.outcome = outcome
        self.cached = cached

    def find_cached(self, token: str) -> Grant | None:
        return self.cached

    async def verify(self, token: str) -> Grant:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("shown", "verifier", "scopes", "outcome"),
    [
        ((), Verifier(GRANT), (), "missing"),
        (("Bearer a", "Bearer b"), Verifier(GRANT), (), "refused"),
        (("Bearer a",), Verifier(TokenRefusedError("exp")), (), "refused"),
        (("Bearer a",), Verifier(GRANT), ("write",), "scope_missing"),
        (("Bearer a",), Verifier(KeysUnavailableError()), (), "unavailable"),
        (("Bearer a",), Verifier(IntrospectionUnavailableError()), (), "unavailable"),
        (("Bearer a",), Verifier(GRANT), ("read",), "accepted"),
    ],
    ids=["none", "two", "refused", "scope", "keys", "introspection", "accepted"],
)
async def test_each_request_counts_by_its_token(
    shown: tuple[str, ...], verifier: Verifier, scopes: tuple[str, ...], outcome: str
) -> None:
    with growing({f'livecalls_tokens_total{{outcome="{outcome}"}}': 1}), suppress(NotAdmittedError):
        await TokenAuthenticator(verifier, frozenset(scopes)).admit(shown)


async def test_a_token_that_was_checked_before_counts_as_a_hit() -> None:
    grown = {
        'livecalls_tokens_total{outcome="accepted"}': 1,
        "livecalls_token_cache_hits_total": 1,
    }
    with growing(grown):
        await TokenAuthenticator(Verifier(GRANT, GRANT), frozenset()).admit(("Bearer a",))


@pytest.mark.parametrize("outcome", ["active", "refused", "failed"])
async def test_an_introspection_counts_by_its_outcome(outcome: str) -> None:
    issuer = ScriptedIntrospection()
    if outcome == "active":
        issuer.knows("a")
    if outcome == "failed":
        issuer.fails()
    grown = {f'livecalls_introspections_total{{outcome="{outcome}"}}': 1.0}
    with growing(grown), suppress(NotAdmittedError):
        await issuer.tokens().verify("a")
