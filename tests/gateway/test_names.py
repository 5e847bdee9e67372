"""Programs behind the gateway that are named: any of a name's addresses may be where they listen.

`localhost` has one of IPv6 and one of IPv4 everywhere.
"""

from pathlib import Path

from demo.readiness import wait_until
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID
from tests.support.envoy.gateway import gateway_running
from tests.support.stand_ins.collector import Collector
from tests.support.stand_ins.upstream import Upstream

PATH = f"/v1/live/calls/{CALL_ID}"
REQUESTS = 20


def test_a_server_that_listens_by_ipv4_gets_all_requests(upstream: Upstream, tmp_path: Path) -> None:
    with gateway_running(upstream.port, tmp_path, GRPC_HOST="localhost") as gateway:
        assert wait_until(lambda: ask(gateway.url, "GET", "/readyz").status == 200, 5)
        statuses = [ask(gateway.url, "GET", PATH).status for _ in range(REQUESTS)]
    assert (statuses, len(upstream.requests)) == ([404] * REQUESTS, REQUESTS)


def test_a_collector_that_listens_by_ipv4_gets_the_spans(upstream: Upstream, tmp_path: Path) -> None:
    with Collector().running() as collector:
        named = collector.url.replace("127.0.0.1", "localhost")
        settings = collector.settings(OTEL_EXPORTER_OTLP_ENDPOINT=named)
        with gateway_running(upstream.port, tmp_path, **settings) as gateway:
            ask(gateway.url, "GET", PATH)
            trace_id = str(upstream.requests[-1].metadata["traceparent"]).split("-")[1]
            assert collector.trace(trace_id, "rest GetCall")
