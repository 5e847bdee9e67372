"""Metrics of requests: those of all gRPC servers, as go-grpc-prometheus names them, and our own."""

import math

from google.rpc import code_pb2
from prometheus_client import Gauge

from server.auth.errors import (
    IntrospectionUnavailableError,
    KeysUnavailableError,
    ScopesMissingError,
    TokenRefusedError,
    TokenRequiredError,
)
from server.runtime.instruments import Counter, Histogram
from server.transport.errors import TooBusyError, reason_of

_METHOD = ("grpc_type", "grpc_service", "grpc_method")

STARTED = Counter("grpc_server_started_total", "RPCs that have reached their method.", _METHOD)
HANDLED = Counter(
    "grpc_server_handled_total", "RPCs that have ended, by their status.", (*_METHOD, "grpc_code")
)
HANDLING = Histogram(
    "grpc_server_handling_seconds", "How long RPCs took, from their arrival to their end.", _METHOD
)
REJECTED = Counter(
    "livecalls_requests_rejected_total",
    "Requests that were turned away before their method, by the reason in their error.",
    ("reason",),
)
IN_FLIGHT = Gauge("livecalls_requests_in_flight", "Requests under way.")
MAX = Gauge("livecalls_requests_max", "`MAX_CONCURRENT_REQUESTS`.")
CERTIFICATE_NOT_AFTER = Gauge(
    "livecalls_certificate_not_after_timestamp_seconds",
    "When the certificate of gRPC's own port expires; NaN without TLS.",
)

CERTIFICATE_NOT_AFTER.set(math.nan)
for _error in (
    *(TooBusyError, TokenRequiredError, TokenRefusedError, ScopesMissingError, KeysUnavailableError),
    IntrospectionUnavailableError,
):
    REJECTED.labels(reason_of(_error).lower())


def record_rejection(error: type[Exception]) -> None:
    """Count a request that was turned away by an error."""
    REJECTED.labels(reason_of(error).lower()).value += 1


def _in_camel_case(code: str) -> str:
    """Write the name of a google.rpc.Code as in Go, where a call is Canceled."""
    return {"OK": "OK", "CANCELLED": "Canceled"}.get(code, code.title().replace("_", ""))


class MethodMetrics:
    """The metrics of one method, whose requests are unary."""

    __slots__ = ("_handled", "_handling", "name", "started")

    def __init__(self, service: str, name: str) -> None:
        """Make all its series, which are 0 then."""
        labels = ("unary", service, name)
        self.name = name
        self.started = STARTED.labels(*labels)
        self._handling = HANDLING.labels(*labels)
        self._handled = {
            number: HANDLED.labels(*labels, _in_camel_case(code))
            for code, number in code_pb2.Code.items()
        }

    def record_end(self, code: int, seconds: float) -> None:
        """Record how a request ended, by google.rpc.Code, and how long it took."""
        self._handled[code].value += 1
        self._handling.observe(seconds)
