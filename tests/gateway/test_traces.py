"""Envoy's spans: which requests have one, what is in it, and what the server is handed on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from secrets import token_hex

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.readiness import wait_until
from machine.tracing import NOT_SAMPLED
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID
from tests.support.envoy.forwarding import gateway_forwarding
from tests.support.envoy.gateway import Gateway, gateway_running
from tests.support.stand_ins.collector import Collector
from tests.support.stand_ins.stream import closed_port
from tests.support.stand_ins.upstream import Upstream

PATH = f"/v1/live/calls/{CALL_ID}"
ROUTE = "rest GetCall"
SPAN_ID = "00f067aa0ba902b7"
Run = Callable[..., AbstractContextManager[Gateway]]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector().running() as collector:
        yield collector


@pytest.fixture(scope="module", params=["standalone", "embedded"])
def run(
    request: pytest.FixtureRequest, running_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs a gateway with settings, each of the two ways in turn."""
    runs: dict[str, Run] = {"standalone": gateway_running, "embedded": gateway_forwarding}
    running = runs[request.param]
    return lambda **settings: running(
        running_upstream.port, tmp_path_factory.mktemp("traced"), **settings
    )


@pytest.fixture(scope="module")
def edge(run: Run, collector: Collector) -> Iterator[Gateway]:
    """One that traces all requests."""
    with run(**collector.settings(OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def trusting(run: Run, collector: Collector) -> Iterator[Gateway]:
    """One that does as callers do, and traces half of the other requests."""
    half = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.5"}
    with run(**collector.settings(TRUST_TRACE_CONTEXT="on", **half)) as gateway:
        yield gateway


@pytest.fixture
def quiet(running_upstream: Upstream, collector: Collector, tmp_path: Path) -> Iterator[Gateway]:
    """One that traces none."""
    settings = collector.settings(OTEL_TRACES_SAMPLER="always_off")
    with gateway_running(running_upstream.port, tmp_path, **settings) as gateway:
        yield gateway


def handed_on(upstream: Upstream) -> list[str]:
    """Return the parts of the trace context of the last request."""
    return str(upstream.requests[-1].metadata["traceparent"]).split("-")


def traced_by_caller(flags: str = "01") -> tuple[str, dict[str, str]]:
    """Return the id of a new trace, and the headers by which a caller hands it on."""
    trace_id = token_hex(16)
    headers = {"traceparent": f"00-{trace_id}-{SPAN_ID}-{flags}", "tracestate": "a=1"}
    return trace_id, {**headers, "x-request-id": trace_id}


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_trace_begins_at_the_gateway_whatever_the_caller_sends(
    edge: Gateway, upstream: Upstream, collector: Collector, flags: str
) -> None:
    callers, headers = traced_by_caller(flags)
    assert ask(edge.url, "GET", PATH, headers).status == 404
    version, trace_id, parent, sampled = handed_on(upstream)
    span = collector.trace(trace_id, ROUTE)[ROUTE]
    assert (version, parent, sampled, span.parent) == ("00", span.id, "01", "")
    assert trace_id != callers
    assert not upstream.requests[-1].metadata.get("tracestate")
    assert edge.access_logged(callers)["trace_id"] == trace_id


def test_a_grpc_call_has_a_span_too(edge: Gateway, upstream: Upstream, collector: Collector) -> None:
    with grpc.insecure_channel(edge.address) as channel, pytest.raises(grpc.RpcError):
        LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=CALL_ID))
    _, trace_id, parent, _ = handed_on(upstream)
    assert collector.trace(trace_id, "grpc")["grpc"].id == parent


def test_nothing_of_the_caller_is_in_a_span(
    edge: Gateway, upstream: Upstream, collector: Collector
) -> None:
    headers = {"authorization": "Bearer secret", "user-agent": "secret", "x-request-id": token_hex(16)}
    headers |= {"x-client-trace-id": "secret", "x-envoy-downstream-service-cluster": "secret"}
    headers |= {"x-forwarded-for": "192.0.2.7", "cookie": "secret", "referer": "secret"}
    assert ask(edge.url, "GET", f"{PATH}?token=secret", headers).status == 404
    _, trace_id, _, _ = handed_on(upstream)
    span = collector.trace(trace_id, ROUTE)[ROUTE]
    assert span.service == "livecalls-gateway"
    assert span.attributes["http.url"] == PATH
    assert span.attributes["http.method"] == "GET"
    assert span.attributes["http.status_code"] == "404"
    assert span.attributes["guid:x-request-id"] == headers["x-request-id"]
    told = b"".join(collector.bodies)
    assert b"deployment.environment" in told
    assert span.attributes["peer.address"] == "-"
    assert not [word for word in (b"secret", b"192.0.2.7") if word in span.span.SerializeToString()]


def test_nor_is_it_in_that_of_a_grpc_call(edge: Gateway, collector: Collector) -> None:
    headers = {"host": "secret", "content-type": "application/grpc+secret", "grpc-timeout": "secret"}
    headers |= {"x-request-id": token_hex(16), "content-length": "0"}
    path = "/livecalls.v1.LiveCalls/GetCall"
    ask(edge.url, "POST", f"{path}?access_token=secret", headers)
    trace_id = edge.access_logged(headers["x-request-id"])["trace_id"]
    name = "grpc with a malformed time-out"
    span = collector.trace(trace_id, name)[name]
    assert span.attributes["http.url"] == span.attributes["grpc.path"] == path
    assert b"secret" not in span.span.SerializeToString()


def test_probes_of_health_have_no_span(edge: Gateway, upstream: Upstream, collector: Collector) -> None:
    before = edge.counter("http.rest.tracing.health_check")
    for path in ("/healthz", "/readyz") * 10:
        assert ask(edge.url, "GET", path).status == 200
    assert edge.counter("http.rest.tracing.health_check") == before + 20
    assert ask(edge.url, "GET", PATH).status == 404
    collector.trace(handed_on(upstream)[1], ROUTE)
    assert not [span for span in collector.spans if "health" in span.name]


def test_what_the_gateway_refuses_has_a_span(
    edge: Gateway, upstream: Upstream, collector: Collector
) -> None:
    _, headers = traced_by_caller()
    assert ask(edge.url, "X" * 50_000, PATH, headers).status == 405
    logged = edge.access_logged(headers["x-request-id"])
    assert logged["method"] == "X" * 32
    span = collector.trace(logged["trace_id"], ROUTE)[ROUTE]
    assert span.attributes["http.status_code"] == "405"
    assert span.attributes["http.method"] == "_OTHER"


def test_a_caller_who_is_trusted_decides(
    trusting: Gateway, upstream: Upstream, collector: Collector
) -> None:
    trace_id, headers = traced_by_caller()
    not_traced, headers_of_other = traced_by_caller("00")
    assert ask(trusting.url, "GET", PATH, headers_of_other).status == 404
    assert handed_on(upstream)[1::2] == [not_traced, "00"]
    assert trusting.access_logged(not_traced)["trace_id"] == ""
    assert ask(trusting.url, "GET", PATH, headers).status == 404
    span = collector.trace(trace_id, ROUTE)[ROUTE]
    assert span.parent == SPAN_ID
    assert handed_on(upstream) == ["00", trace_id, span.id, "01"]
    assert trusting.access_logged(trace_id)["trace_id"] == trace_id
    assert not [span for span in collector.spans if span.trace_id == not_traced]


def test_of_flags_only_that_of_sampling_counts(
    trusting: Gateway, upstream: Upstream, collector: Collector
) -> None:
    handed = {}
    for flags in ("03", "05", "0b", "ff"):
        trace_id, headers = traced_by_caller(flags)
        assert ask(trusting.url, "GET", PATH, headers).status == 404
        assert trusting.access_logged(trace_id)["trace_id"] == trace_id
        handed[trace_id] = handed_on(upstream)
    for trace_id, parts in handed.items():
        assert parts == ["00", trace_id, collector.trace(trace_id, ROUTE)[ROUTE].id, "01"]


@pytest.mark.parametrize(
    "malformed",
    [
        *("1", "junk", "00-1-2-01", "ff-{}-{}-01", "00-{}-{}-01-x", "00-{}-{}-1", "0-{}-{}-001"),
        *(
            f"00-{'0' * 32}-{{1}}-01",
            f"00-{{0}}-{'0' * 16}-01",
            "00-{0:.31}-0{1}-01",
            "00-{}-{}-01" * 400,
        ),
        "00-{}-{}-0A",
    ],
)
def test_a_parent_that_is_malformed_is_none(
    trusting: Gateway, upstream: Upstream, malformed: str
) -> None:
    callers, headers = traced_by_caller()
    headers["traceparent"] = malformed.format(*[callers, SPAN_ID] * 400)
    assert ask(trusting.url, "GET", PATH, headers).status == 404
    _, trace_id, span, flags = handed_on(upstream)
    assert (len(trace_id), len(span)) == (32, 16)
    assert trace_id[:31] != callers[:31]
    assert trusting.access_logged(callers)["trace_id"] == (trace_id if flags == "01" else "")


def test_a_share_of_all_other_requests_is_traced(trusting: Gateway, upstream: Upstream) -> None:
    flags = set()
    for _ in range(40):
        assert ask(trusting.url, "GET", PATH).status == 404
        flags.add(handed_on(upstream)[3])
    assert flags == {"00", "01"}


def test_no_caller_can_force_a_trace(quiet: Gateway, upstream: Upstream) -> None:
    trace_id, headers = traced_by_caller()
    headers |= {
        "x-client-trace-id": "1",
        "x-envoy-force-trace": "1",
        "x-trace-callers": "00-1-1-01",
        "x-trace-draw": "0",
        "x-trace-span": f"00-{trace_id}-{SPAN_ID}-01",
    }
    assert ask(quiet.url, "GET", PATH, headers).status == 404
    assert upstream.requests[-1].metadata["traceparent"] == NOT_SAMPLED
    assert quiet.access_logged(trace_id)["trace_id"] is None
    assert not [name for name in upstream.requests[-1].metadata if name.startswith("x-trace")]


def test_a_collector_that_is_away_holds_up_nobody(
    running_upstream: Upstream, tmp_path: Path, upstream: Upstream
) -> None:
    away = Collector(url=f"http://127.0.0.1:{closed_port()}").settings()
    with gateway_running(running_upstream.port, tmp_path, **away) as gateway:
        for _ in range(20):
            assert ask(gateway.url, "GET", PATH).status == 404
        assert wait_until(lambda: gateway.counter("tracing.opentelemetry.spans_sent") > 0, 20)
        assert gateway.log() == ""
