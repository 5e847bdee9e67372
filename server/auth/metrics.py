"""Metrics of access tokens, and of the requests to introspect them."""

from server.auth.errors import (
    NotAdmittedError,
    ScopesMissingError,
    TokenRefusedError,
    TokenRequiredError,
)
from server.runtime.instruments import Counter

TOKENS = Counter(
    "livecalls_tokens_total",
    "Requests by their token: none with `AUTH=off`; `unavailable` if it could not be checked, for want "
    "of keys or of an introspection.",
    ("outcome",),
)
CACHE_HITS = Counter(
    "livecalls_token_cache_hits_total",
    "Requests whose token had been checked before, of all that had one.",
)
INTROSPECTIONS = Counter(
    "livecalls_introspections_total",
    "Introspections: `refused` if the token is not active or not for this service, `failed` without a "
    "usable response.",
    ("outcome",),
)

ACCEPTED, _MISSING, _REFUSED, _SCOPE_MISSING, _UNAVAILABLE = map(
    TOKENS.labels, ("accepted", "missing", "refused", "scope_missing", "unavailable")
)
CACHE_HIT = CACHE_HITS.labels()
INTROSPECTED, INTROSPECTION_REFUSED, INTROSPECTION_FAILED = map(
    INTROSPECTIONS.labels, ("active", "refused", "failed")
)

_BY_ERROR = {
    TokenRequiredError: _MISSING,
    TokenRefusedError: _REFUSED,
    ScopesMissingError: _SCOPE_MISSING,
}


def record_refusal(error: NotAdmittedError) -> None:
    """Count a caller who is not admitted."""
    _BY_ERROR.get(type(error), _UNAVAILABLE).value += 1
