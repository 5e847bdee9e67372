"""The span of a request that is traced, with the attributes that OpenTelemetry names rpc.*."""

from typing import TYPE_CHECKING

from google.rpc import code_pb2

from server.runtime import tracing
from server.transport.call_context import CallContext
from server.transport.live_calls import SERVICE

if TYPE_CHECKING:
    from server.runtime.otlp import SpanUnderWay

# Those for which the server is to blame, as OpenTelemetry has it: the others are the caller's.
_FAULTS = frozenset(
    {
        code_pb2.UNKNOWN,
        code_pb2.DEADLINE_EXCEEDED,
        code_pb2.UNIMPLEMENTED,
        code_pb2.INTERNAL,
        code_pb2.UNAVAILABLE,
        code_pb2.DATA_LOSS,
    }
)


def begin_span(method: str, call: CallContext) -> "SpanUnderWay | None":
    """Begin the span of a request, by the name of its method; None if it is not sampled."""
    parent = tracing.sample(call.values)
    if parent is None:
        return None
    attributes = {
        "rpc.system": "grpc",
        "rpc.service": SERVICE,
        "rpc.method": method,
        "livecalls.request_id": call.request_id,
    }
    return tracing.begin(f"{SERVICE}/{method}", parent, attributes)


def end_span(span: "SpanUnderWay | None", code: int) -> str | None:
    """End it with a google.rpc.Code, if there is one; return its trace's id."""
    if span is None:
        return None
    span.set("rpc.grpc.status_code", code)
    if code in _FAULTS:
        span.fail(code_pb2.Code.Name(code))
    span.end()
    return span.trace_id
