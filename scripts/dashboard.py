"""Writes Grafana's dashboard, of the metrics in docs/operations/metrics.md and of Envoy's own."""

from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple

from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

FILE = Path(__file__).parents[1] / "deploy" / "grafana" / "livecalls.json"
# Of 24 columns: three panels a row.
_WIDTH, _HEIGHT = 8, 8
_SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
_FAULTS = "Unknown|DeadlineExceeded|ResourceExhausted|Internal|Unavailable|DataLoss"


class Query(NamedTuple):
    """A query, and how its series are called."""

    expression: str
    legend: str


class Chart(NamedTuple):
    """A panel: its title, Grafana's unit, what a reader should know, and its queries."""

    title: str
    unit: str
    description: str
    queries: tuple[Query, ...]


def _rate(metric: str, *labels: str) -> str:
    matchers = ", ".join(['job=~"$job"', *labels])
    return f"rate({metric}{{{matchers}}}[$__rate_interval])"


def _by(label: str, metric: str, *labels: str) -> Query:
    return Query(f"sum by ({label}) ({_rate(metric, *labels)})", f"{{{{{label}}}}}")


def _percentile(percent: int, histogram: str, *labels: str) -> Query:
    buckets = f"sum by (le) ({_rate(f'{histogram}_bucket', *labels)})"
    return Query(f"histogram_quantile({percent / 100:g}, {buckets})", f"p{percent}")


def _share(part: str, whole: str, legend: str) -> Query:
    return Query(f"sum({part}) / sum({whole})", legend)


_OF_SERVICE = 'grpc_service="livecalls.v1.LiveCalls"'
_DATABASE_FULL = (
    'max(livecalls_database_connections{job=~"$job", state="in_use"}'
    ' / ignoring (state) livecalls_database_connections_max{job=~"$job"})'
)

CHARTS = (
    Chart(
        "Requests by status",
        "reqps",
        "All requests that reached a method, by their gRPC status.",
        (_by("grpc_code", "grpc_server_handled_total", _OF_SERVICE),),
    ),
    Chart(
        "Errors that are not the callers'",
        "percentunit",
        "What pages above 1 %: LiveCallsErrors.",
        (
            _share(
                _rate("grpc_server_handled_total", _OF_SERVICE, f'grpc_code=~"{_FAULTS}"'),
                _rate("grpc_server_handled_total", _OF_SERVICE),
                "server",
            ),
            _share(
                _rate("envoy_http_downstream_rq_xx", 'envoy_response_code_class="5"'),
                _rate("envoy_http_downstream_rq_xx"),
                "gateway, 5xx",
            ),
        ),
    ),
    Chart(
        "Duration of requests",
        "s",
        "In the server. The 99th percentile pages above a second: LiveCallsSlow.",
        tuple(
            _percentile(percent, "grpc_server_handling_seconds", _OF_SERVICE) for percent in (50, 95, 99)
        ),
    ),
    Chart(
        "REST, gRPC and gRPC-Web at the gateway",
        "reqps",
        "By the class of HTTP's status; errors by gRPC are 2xx here.",
        (
            Query(
                f"sum by (envoy_response_code_class) ({_rate('envoy_http_downstream_rq_xx')})",
                "{{envoy_response_code_class}}xx",
            ),
        ),
    ),
    Chart(
        "How full the fullest worker is",
        "percentunit",
        "Requests under way and connections in use, of what there may be: LiveCallsFull.",
        (
            Query(
                'max(livecalls_requests_in_flight{job=~"$job"} / livecalls_requests_max{job=~"$job"})',
                "requests",
            ),
            Query(_DATABASE_FULL, "database connections"),
        ),
    ),
    Chart(
        "Requests turned away",
        "reqps",
        "Before their method, by the reason in the error.",
        (_by("reason", "livecalls_requests_rejected_total"),),
    ),
    Chart(
        "Live statuses",
        "reqps",
        "By where they are from; null is not known.",
        (_by("outcome", "livecalls_live_statuses_total"),),
    ),
    Chart(
        "Why live is null",
        "reqps",
        "LiveCallsLiveUnknown counts those that are Stream's fault or a limit's.",
        (_by("reason", "livecalls_live_statuses_null_total"),),
    ),
    Chart(
        "Requests to Stream",
        "reqps",
        "By their outcome, of all workers.",
        (_by("outcome", "livecalls_stream_requests_total"),),
    ),
    Chart(
        "Stream's limits",
        "percentunit",
        "What is left of its rate limit: LiveCallsStreamRateLimitNear. Workers whose breaker is open.",
        (
            Query(
                'min by (endpoint) (livecalls_stream_rate_limit_remaining{job=~"$job"}'
                ' / livecalls_stream_rate_limit_max{job=~"$job"})',
                "rate limit left: {{endpoint}}",
            ),
            Query('avg(livecalls_stream_breaker_open{job=~"$job"})', "breakers open"),
        ),
    ),
    Chart(
        "SELECTs",
        "reqps",
        "Each for all requests that share it; none that is ok pages: LiveCallsDatabaseAway.",
        (_by("outcome", "livecalls_selects_total"),),
    ),
    Chart(
        "Where time goes, 99th percentile",
        "s",
        "A SELECT, a request to Stream, and how late the event loop is.",
        tuple(
            _percentile(99, histogram)._replace(legend=legend)
            for histogram, legend in (
                ("livecalls_select_seconds", "SELECT"),
                ("livecalls_stream_request_seconds", "Stream"),
                ("livecalls_event_loop_lag_seconds", "event loop"),
            )
        ),
    ),
)


def main() -> None:
    """Write the file."""
    FILE.write_text(build())


def build() -> str:
    """Return the dashboard as JSON."""
    dashboard = (
        Dashboard("LiveCalls")
        .uid("livecalls")
        .tags(["livecalls"])
        .description("What RUNBOOK.md looks at. Made by `make dashboard`.")
        .refresh("30s")
        .time("now-1h", "now")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("job")
            .datasource(_SOURCE)
            .query('label_values({__name__=~"livecalls_build_info|envoy_server_live"}, job)')
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
            .multi(multi=True)
            .include_all(include_all=True)
        )
    )
    for panel in _panels():
        dashboard.with_panel(panel)
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard.build()) + "\n"


def _panels() -> Iterator[Panel]:
    for chart in CHARTS:
        panel = (
            Panel()
            .title(chart.title)
            .description(chart.description)
            .unit(chart.unit)
            .min(0)
            .datasource(_SOURCE)
            .height(_HEIGHT)
            .span(_WIDTH)
        )
        for letter, query in zip(ascii_uppercase, chart.queries, strict=False):
            target = Dataquery().ref_id(letter).expr(query.expression).legend_format(query.legend)
            panel.with_target(target)
        yield panel


if __name__ == "__main__":
    main()
