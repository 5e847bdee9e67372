"""Renders Envoy's configuration from the settings."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from gateway.access_log import log_filter
from gateway.config import GatewaySettings
from gateway.contract import DESCRIPTORS, grpc_methods
from gateway.forwarded import without_ports
from gateway.limits import heap_bytes, max_connections
from gateway.page_routes import page_routes
from gateway.python_host import module_path
from gateway.rest_members import documented_members
from gateway.tls import listener_socket, upstream_socket
from gateway.tracing import tracing_values
from machine.cgroup import memory_limit
from machine.request_size import MAX_REQUEST_BYTES
from machine.tracing import TracingSettings

_HERE = Path(__file__).resolve().parent
# A year, for this very host.
_HSTS = {"append": {"header": {"key": "strict-transport-security", "value": "max-age=31536000"}}}


def render(settings: GatewaySettings, secrets: Mapping[str, Path]) -> str:
    """Render envoy.yaml; its paths are absolute, its texts quoted as JSON, which is YAML.

    The secrets are the files that write_secrets() made of the same settings. What there is of traces
    is read from the environment; raises ValueError if that is wrong.
    """
    traces = tracing_values(settings, TracingSettings())
    cgroup_bytes = memory_limit()
    connections, _ = max_connections(settings, cgroup_bytes)
    return Template((_HERE / "envoy.yaml").read_text()).substitute(
        _listener_values(settings, secrets, traces["clusters"]),
        TRACE_DECISION=_items(traces["decision"], 14),
        TRACE_CONTEXT=_items(traces["context"], 16),
        TRACE_ID=traces["trace_id"] and f"trace_id: {json.dumps(traces['trace_id'])}",
        TRACING=json.dumps(traces["tracing"]),
        NODE_ID=json.dumps(settings.node_id),
        ADMIN_PORT=settings.admin_port,
        MAX_CONNECTION_AGE=json.dumps(_age(settings.max_connection_age_ms)),
        MAX_CONNECTIONS=connections,
        MAX_HEAP_BYTES=heap_bytes(settings, cgroup_bytes),
        MAX_REQUEST_BYTES=MAX_REQUEST_BYTES,
        TRUSTED_PROXIES=settings.trusted_proxies,
        LOG_FILTER=json.dumps(log_filter(settings.log_requests_ratio)),
        FORWARDED=_items(without_ports(settings.trusted_proxies), 10),
        REST_HOST=json.dumps(settings.rest_host),
        REST_PORT=settings.rest_port,
        REST_BY_BOTH=json.dumps(settings.rest_by_both),
        REUSE_PORT=json.dumps(settings.shares_port),
        REST_TRANSPORT_SOCKET=json.dumps(listener_socket(secrets)),
        REST_HSTS=json.dumps([_HSTS] if "listener" in secrets else []),
        REFLECTED_PERCENT=100 if settings.reflection == "on" else 0,
        RATE_LIMITED_PERCENT=100 if settings.rate_limit_per_second else 0,
        RATE_LIMIT_PER_SECOND=max(settings.rate_limit_per_second, 1),
        RATE_LIMIT_BURST=settings.rate_limit_burst,
        GRPC_LUA=json.dumps(str(_HERE / "grpc.lua")),
        REFUSAL_LUA=json.dumps(str(_HERE / "refusal.lua")),
        REST_LUA=json.dumps(_rest_lua()),
        REST_TIMEOUT=f"{settings.rest_timeout_ms / 1000:.3f}s",
        REST_TIMEOUT_MS=settings.rest_timeout_ms,
        DESCRIPTORS=json.dumps(str(DESCRIPTORS)),
        UNMEASURED=json.dumps(not settings.stats_port),
        GRPC_METHODS=json.dumps(grpc_methods()),
        PAGES=_items(page_routes(settings), 14),
        CORS_ORIGINS=json.dumps([{"exact": origin} for origin in settings.cors_origins]),
    )


def _listener_values(
    settings: GatewaySettings, secrets: Mapping[str, Path], more_clusters: list[dict[str, Any]]
) -> dict[str, str]:
    """Render the parts of envoy.yaml for the upstream, standalone or embedded."""
    if settings.embedded:
        text = Template((_HERE / "embedded.yaml").read_text()).substitute(
            PYTHON_MODULE=json.dumps(module_path())
        )
    else:
        endpoints = [_endpoint(settings.grpc_host, port) for port in settings.grpc_ports]
        text = Template((_HERE / "standalone.yaml").read_text()).substitute(
            GRPC_ENDPOINTS=json.dumps(endpoints),
            UPSTREAM_TRANSPORT_SOCKET=json.dumps(upstream_socket(settings, secrets)),
        )
    parts, stats = yaml.safe_load(text), _stats_parts(settings)
    return {
        "CLUSTERS": json.dumps(
            [*parts["clusters"], *more_clusters, *(part["cluster"] for part in stats)]
        ),
        "READINESS": json.dumps(parts["readiness"]),
        "PYTHON": _items(parts.get("python", ()), 10),
        "STATS_LISTENER": _items((part["listener"] for part in stats), 2),
    }


def _stats_parts(settings: GatewaySettings) -> list[Any]:
    """Render the listener of the statistics and its cluster; none if there is no port for it."""
    if not settings.stats_port:
        return []
    text = Template((_HERE / "stats.yaml").read_text()).substitute(
        STATS_HOST=json.dumps(settings.stats_host),
        STATS_PORT=settings.stats_port,
        STATS_BY_BOTH=json.dumps(settings.stats_by_both),
        REUSE_PORT=json.dumps(settings.shares_port),
        ADMIN_PORT=settings.admin_port,
    )
    return [yaml.safe_load(text)]


def _rest_lua() -> str:
    """Render rest.lua, whose patterns have dollar signs too."""
    return Template((_HERE / "rest.lua").read_text()).safe_substitute(documented_members())


def _items(parts: Iterable[object], indentation: int) -> str:
    """Render some items of a list as lines of YAML; there may be none."""
    return f"\n{' ' * indentation}".join(f"- {json.dumps(part)}" for part in parts)


def _age(milliseconds: int) -> str | None:
    return f"{milliseconds / 1000:.3f}s" if milliseconds else None


def _endpoint(host: str, port: int) -> dict[str, Any]:
    return {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}}
