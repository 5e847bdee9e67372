"""Metrics of requests: those of all gRPC servers, as go-grpc-prometheus names them, and our own."""

from google.rpc import code_pb2

from server.runtime.instruments import Counter, Histogram

_METHOD = ("grpc_type", "grpc_service", "grpc_method")

STARTED = Counter("grpc_server_started_total", "RPCs that have reached their method.", _METHOD)
HANDLED = Counter(
    "grpc_server_handled_total", "RPCs that have ended, by their status.", (*_METHOD, "grpc_code")
)
HANDLING = Histogram(
    "grpc_server_handling_seconds", "How long RPCs took, from their arrival to their end.", _METHOD
)


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
