"""Envoy's own traces: which requests have one, what is in it, and where it is sent.

Envoy traces each request without a `traceparent`, and of the others those whose `traceparent` says so.
So a request that is not to be traced gets one before Envoy looks, which names no trace: Envoy makes no
span for it, and the server none either. A caller's own counts if it is trusted.
"""

import os
import ssl
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import SplitResult, urlsplit

from gateway.config import GatewaySettings
from gateway.tls import trusting_socket
from machine.tracing import NOT_SAMPLED, TracingSettings

Json = dict[str, Any]

_TYPES = "type.googleapis.com/envoy"
_CLUSTER = "collector"
_TRACEPARENT = "request.headers['traceparent']"
_PARTS = "r'^([0-9a-f]{2})-([0-9a-f]+)-([0-9a-f]+)-([0-9a-f]{2})$'"
"""Version, ids and flags; a longer expression than so would have too large a program for RE2."""
_VALID = (
    f"{_TRACEPARENT}.matches({_PARTS})"
    rf" && size(re.extract({_TRACEPARENT}, {_PARTS}, r'\2')) == 32"
    rf" && size(re.extract({_TRACEPARENT}, {_PARTS}, r'\3')) == 16"
    f" && !{_TRACEPARENT}.matches('-0+-') && !{_TRACEPARENT}.startsWith('ff')"
)
_CANONICAL = (
    f"{_TRACEPARENT}.matches('[13579bdf]$')"
    rf" ? re.extract({_TRACEPARENT}, {_PARTS}, r'00-\2-\3-01')"
    rf" : re.extract({_TRACEPARENT}, {_PARTS}, r'00-\2-\3-00')"
)
"""With the flag of sampling alone: of others Envoy and the server would understand different things."""
_CALLERS = "x-trace-callers"
_DRAW = "x-trace-draw"
_SPAN = "x-trace-span"
_DIGITS = 8
"""Hexadecimal digits of a random number."""
_NOTHING = "-"
"""Stands for what Envoy would add by itself, but is personal or the caller's to choose."""
_PATH = "%FILTER_STATE(asked.path:PLAIN):500%"
"""Without the query, and as it was before the transcoder."""
_TAGS = {
    **dict.fromkeys(("http.url", "grpc.path"), _PATH),
    "http.method": "%FILTER_STATE(asked.method:PLAIN)%",
    **dict.fromkeys(("peer.address", "user_agent", "downstream_cluster"), _NOTHING),
    **dict.fromkeys(("grpc.authority", "grpc.content_type", "grpc.timeout"), _NOTHING),
}
_TRACE_ID_IF_SAMPLED = (
    f"%CEL({_TRACEPARENT}.endsWith('-01') ? "
    rf"re.extract({_TRACEPARENT}, r'^00-([0-9a-f]+)-.*$', r'\1') : '')%"
)


class TraceValues(TypedDict):
    """What envoy.yaml has of traces."""

    decision: list[Json]
    tracing: Json | None
    context: list[Json]
    trace_id: str
    clusters: list[Json]


def tracing_values(settings: GatewaySettings, tracing: TracingSettings) -> TraceValues:
    """Return what envoy.yaml has of traces: if they are off, nothing but what is removed.

    Raises ValueError if the collector cannot be verified.
    """
    trusted = settings.trust_trace_context == "on"
    removed = [_remove("traceparent"), *([] if trusted else [_remove("tracestate")])]
    if not tracing.on:
        decision = [] if trusted else removed
        return {"decision": decision, "tracing": None, "context": [], "trace_id": "", "clusters": []}
    kept, restored = _keep_callers() if trusted else ([], [])
    return {
        "decision": [*kept, *removed, *_decide(tracing.ratio), *restored],
        "tracing": _tracing(tracing),
        "context": _hand_on(trusted=trusted),
        # Of a caller who does not sample its trace Envoy has a span too, which it throws away.
        "trace_id": _TRACE_ID_IF_SAMPLED if trusted else "%TRACE_ID%",
        "clusters": [_cluster(urlsplit(tracing.traces_url), tracing.exporter_otlp_certificate)],
    }


def _keep_callers() -> tuple[list[Json], list[Json]]:
    """Make the mutations that put a caller's `traceparent` aside, and back if it is valid."""
    valid = f"%CEL('traceparent' in request.headers && {_VALID} ? ({_CANONICAL}) : '')%"
    return (
        [_remove(_CALLERS), _set(_CALLERS, valid)],
        [_set("traceparent", f"%REQ({_CALLERS})%"), _remove(_CALLERS)],
    )


def _decide(ratio: float) -> list[Json]:
    """Make the mutations that give a `traceparent` to requests that are not to be traced."""
    return [
        _set(_DRAW, "%UNIQUE_ID%"),
        # What is empty is no header.
        _set("traceparent", f"%CEL({_drawn(ratio)} ? '' : '{NOT_SAMPLED}')%"),
        _remove(_DRAW),
        _remove("x-client-trace-id"),  # Envoy would put it into the span
    ]


def _hand_on(*, trusted: bool) -> list[Json]:
    """Make the mutations that hand a trace on: Envoy's span takes the place of a sampled caller's."""
    span = "00-%TRACE_ID%-%SPAN_ID%-01"
    if not trusted:
        return [_set("traceparent", span, "ADD_IF_ABSENT")]
    sampled = f"!('traceparent' in request.headers) || {_TRACEPARENT}.endsWith('-01')"
    return [
        _set(_SPAN, span),
        _set("traceparent", f"%CEL({sampled} ? request.headers['{_SPAN}'] : '')%"),
        _remove(_SPAN),
    ]


def _drawn(ratio: float) -> str:
    """Write the condition that such a share of random numbers meets."""
    bound = round(ratio * 16**_DIGITS)
    if bound == 16**_DIGITS:
        return "true"
    return f"request.headers['{_DRAW}'] < '{bound:0{_DIGITS}x}'"


def _tracing(tracing: TracingSettings) -> Json:
    config: Json = {
        "@type": f"{_TYPES}.config.trace.v3.OpenTelemetryConfig",
        "service_name": tracing.service_name or "livecalls-gateway",
        "http_service": {"http_uri": {"uri": tracing.traces_url, "cluster": _CLUSTER, "timeout": "5s"}},
    }
    if os.environ.get("OTEL_RESOURCE_ATTRIBUTES"):  # Envoy refuses to read it if it is empty
        kind = "extensions.tracers.opentelemetry.resource_detectors.v3.EnvironmentResourceDetectorConfig"
        detector = {"name": "environment", "typed_config": {"@type": f"{_TYPES}.{kind}"}}
        config["resource_detectors"] = [detector]
    return {
        "operation": "%ROUTE_NAME%",
        "custom_tags": [{"tag": tag, "value": value} for tag, value in _TAGS.items()],
        "provider": {"name": "opentelemetry", "typed_config": config},
    }


def _cluster(url: SplitResult, ca_file: Path | None) -> Json:
    host = url.hostname or ""
    by_tls = url.scheme == "https"
    address = {"address": host, "port_value": url.port or (443 if by_tls else 80)}
    endpoint = {"endpoint": {"address": {"socket_address": address}}}
    return {
        "name": _CLUSTER,
        "type": "LOGICAL_DNS",
        # All addresses of a name are tried, one after the other: by default those of IPv6 alone.
        "dns_lookup_family": "ALL",
        # Or requests would wait, at the start, for a name that does not resolve.
        "wait_for_warm_on_init": False,
        "connect_timeout": "1s",
        "transport_socket": trusting_socket(ca_file or _system_ca_file(), host) if by_tls else None,
        "load_assignment": {"cluster_name": _CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _system_ca_file() -> Path:
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        raise ValueError("OTEL_EXPORTER_OTLP_CERTIFICATE is missing: this machine names no CAs")
    return Path(file)


def _set(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> Json:
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


def _remove(name: str) -> Json:
    return {"remove": name}
