"""Metrics of live statuses, and of the requests to Stream for them."""

import math
from enum import StrEnum

from prometheus_client import Gauge

from server.runtime.instruments import Counter, Histogram


class Endpoint(StrEnum):
    """What of Stream's API is requested: for one call, or for many."""

    GET_CALL = "GetCall"
    QUERY_CALLS = "QueryCalls"


class NullReason(StrEnum):
    """Why the live status of a call is not known."""

    NOT_CONFIGURED = "not_configured"
    UNADDRESSABLE = "unaddressable"
    DEADLINE = "deadline"
    TOO_MANY_REQUESTS = "too_many_requests"
    BREAKER_OPEN = "breaker_open"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    FAILED = "failed"


LIVE_STATUSES = Counter(
    "livecalls_live_statuses_total",
    "Live statuses, of calls with a `stream_call_id`: `shared` if another caller's request brought it.",
    ("outcome",),
)
NULLS = Counter(
    "livecalls_live_statuses_null_total",
    "Those that are null. For the first six Stream was not asked: no app is configured, no call there "
    "can have such an id, the caller has no time left, `STREAM_MAX_CONCURRENT_REQUESTS`, a breaker, a "
    "429. The others are its responses, or that none came in time or none that could be used.",
    ("reason",),
)
AGE = Histogram(
    "livecalls_live_status_age_seconds",
    "How long ago Stream was asked for live statuses that are not null.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0),
)
REQUESTS = Counter(
    "livecalls_stream_requests_total",
    "Requests to Stream that have ended; one for many calls is `found` if it has a response.",
    ("endpoint", "outcome"),
)
CALLS_PER_REQUEST = Histogram(
    "livecalls_stream_calls_per_query",
    "Calls that a request to QueryCalls is for.",
    buckets=(2, 5, 10, 25, 50, 75, 100),
)
REQUEST_SECONDS = Histogram("livecalls_stream_request_seconds", "How long requests to Stream took.")
IN_FLIGHT = Gauge("livecalls_stream_requests_in_flight", "Requests to Stream under way.")
BREAKER_OPEN = Gauge(
    "livecalls_stream_breaker_open", "1 while the breaker of all calls is open, else 0."
)
BULK_OPEN = Gauge(
    "livecalls_stream_bulk_breaker_open",
    "1 while calls are requested one by one, because a request for many has failed, else 0.",
)
RATE_LIMIT_REMAINING = Gauge(
    "livecalls_stream_rate_limit_remaining",
    "Requests that Stream still allows in this minute, by its last response; NaN before the first.",
    ("endpoint",),
)
RATE_LIMIT_MAX = Gauge(
    "livecalls_stream_rate_limit_max",
    "Requests that Stream allows in a minute, by its last response; NaN before the first.",
    ("endpoint",),
)

CACHED, SHARED, FETCHED, _NULL = map(LIVE_STATUSES.labels, ("cached", "shared", "fetched", "null"))
AGES = AGE.labels()

CALLS_PER_QUERY = CALLS_PER_REQUEST.labels()

for _endpoint in Endpoint:
    RATE_LIMIT_REMAINING.labels(_endpoint.value).set(math.nan)
    RATE_LIMIT_MAX.labels(_endpoint.value).set(math.nan)

_reasons = {reason: NULLS.labels(reason.value) for reason in NullReason}
_ends = (
    *(None, NullReason.NOT_FOUND, NullReason.REJECTED, NullReason.RATE_LIMITED, NullReason.TIMEOUT),
    NullReason.FAILED,
)
_outcomes = {
    (endpoint, end): REQUESTS.labels(endpoint.value, end.value if end else "found")
    for endpoint in Endpoint
    for end in _ends
}
_seconds = REQUEST_SECONDS.labels()


def record_null(reason: NullReason) -> None:
    """Count a live status that is null."""
    _NULL.value += 1
    _reasons[reason].value += 1


def record_request(endpoint: Endpoint, failure: NullReason | None, seconds: float) -> None:
    """Record how a request to Stream ended: with a status, or why there is none."""
    _outcomes[endpoint, failure].value += 1
    _seconds.observe(seconds)
