"""Metrics of the reads, and of the connections that they use."""

from prometheus_client import Gauge

from server.runtime.instruments import Counter, Histogram

SELECTS = Counter(
    "livecalls_selects_total",
    "SELECTs, each for all requests that share it: `failed` also if no connection could be had, "
    "`cancelled` if nobody waited for it any more, or for too long.",
    ("outcome",),
)
SELECT_SECONDS = Histogram(
    "livecalls_select_seconds",
    "How long PostgreSQL took for a SELECT that succeeded, from sending it to its last row.",
)
SELECT_ROWS = Histogram(
    "livecalls_select_rows",
    "Rows that a SELECT has found.",
    buckets=(0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0),
)
CONNECTIONS = Gauge(
    "livecalls_database_connections",
    "Connections to PostgreSQL, by whether they run a SELECT.",
    ("state",),
)
CONNECTIONS_MAX = Gauge("livecalls_database_connections_max", "`DATABASE_POOL_SIZE`.")
WAITING = Gauge("livecalls_database_waiting", "Requests whose SELECT has not begun.")

OK, FAILED, CANCELLED = map(SELECTS.labels, ("ok", "failed", "cancelled"))
IDLE, IN_USE = map(CONNECTIONS.labels, ("idle", "in_use"))

_seconds, _rows = SELECT_SECONDS.labels(), SELECT_ROWS.labels()


def record_select(seconds: float, rows: int) -> None:
    """Record a SELECT that succeeded."""
    _seconds.observe(seconds)
    _rows.observe(rows)
