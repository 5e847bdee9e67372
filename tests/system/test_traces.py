"""The trace of a request, across Envoy, the server, PostgreSQL and Stream."""

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import StreamStandIn
from tests.support.auth.tokens import bearer, signer, token_settings
from tests.support.callers.rest import ask
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.database.postgres import postgres_running, store_call
from tests.support.envoy.gateway import wait_for
from tests.support.server.deployments import Deployment
from tests.support.server.serve import serve_running
from tests.support.server.stack import Stack, stack_running
from tests.support.stand_ins.collector import SERVER, Collector
from tests.support.stand_ins.key_server import KeyServer
from tests.support.stand_ins.stream import AWAITED, SECRET, stream_variables
from tests.support.stand_ins.stream import KEY as STREAM_KEY

KEY = signer("ES256")
STREAM_CALL = "call-of-the-test"
STREAM = "GET /api/v2/video/call/{type}/{id}"
GATEWAY = "rest GetCall"
SPANS = (SERVER, "check token", "SELECT calls", "wait for Stream", STREAM)
SPAN_ID = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector().running() as collector:
        yield collector


@pytest.fixture(scope="module")
def stand_in() -> StreamStandIn:
    return StreamStandIn(STREAM_KEY, SECRET)


@pytest.fixture(scope="module")
def traced(
    deployment: Deployment,
    collector: Collector,
    stand_in: StreamStandIn,
    migrated_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Everything, tracing the requests whose callers do."""
    keys = KeyServer()
    keys.publishes(KEY)
    stand_in.put(PLAIN_CALL.stream_call_type, STREAM_CALL)
    with (
        keys.running(),
        serve_in_thread(stand_in) as stream_url,
        postgres_running(migrated_data) as postgres,
    ):
        store_call(postgres.url, stream_call_id=STREAM_CALL)
        settings = {
            **collector.settings(OTEL_TRACES_SAMPLER="parentbased_always_off"),
            **token_settings(keys.url),
            **stream_variables(stream_url),
            **AWAITED,
            **deployment.settings,
            "TRUST_TRACE_CONTEXT": "on",
            "STREAM_CACHE_TTL_MS": "1",
        }
        with stack_running(postgres, tmp_path_factory.mktemp("traced"), **settings) as stack:
            yield stack


def headers(trace_id: str, flags: str = "01") -> dict[str, str]:
    """Return the headers of a good caller with a trace, whose id is the request's too."""
    trace = {"traceparent": f"00-{trace_id}-{SPAN_ID}-{flags}", "x-request-id": trace_id}
    return {**bearer(KEY.token()), **trace}


def answered(stack: Stack, request_id: str) -> dict[str, Any]:
    """Wait for the server's line of a request."""
    return wait_for(
        lambda: next((e for e in stack.server.logged("answered") if e["request_id"] == request_id), None)
    )


def test_a_rest_request_is_one_tree(
    traced: Stack, collector: Collector, stand_in: StreamStandIn
) -> None:
    trace_id = token_hex(16)
    assert traced.get(headers=headers(trace_id)).status == 200

    spans = collector.trace(trace_id, GATEWAY, *SPANS)
    assert set(spans) == {GATEWAY, *SPANS}
    assert {name: spans[name].parent for name in spans} == {
        GATEWAY: SPAN_ID,
        SERVER: spans[GATEWAY].id,
        "check token": spans[SERVER].id,
        "SELECT calls": spans[SERVER].id,
        "wait for Stream": spans[SERVER].id,
        STREAM: spans["wait for Stream"].id,
    }
    services = {name: span.service for name, span in spans.items()}
    assert services == {GATEWAY: "livecalls-gateway", **dict.fromkeys(SPANS, "livecalls")}
    assert spans["SELECT calls"].events["the read begins"]["livecalls.batch.requests"] == 1
    assert stand_in.last_traceparent == f"00-{trace_id}-{spans[STREAM].id}-01"


def test_both_logs_name_the_trace(traced: Stack) -> None:
    trace_id = token_hex(16)
    assert traced.get(headers=headers(trace_id)).status == 200
    assert answered(traced, trace_id)["trace_id"] == trace_id
    assert traced.gateway.access_logged(trace_id)["trace_id"] == trace_id


def test_a_request_that_is_not_sampled_leaves_nothing(
    traced: Stack, collector: Collector, stand_in: StreamStandIn
) -> None:
    quiet, trace_id = token_hex(16), token_hex(16)
    assert traced.get(headers=headers(quiet, "00")).status == 200
    assert stand_in.last_traceparent is None
    assert "trace_id" not in answered(traced, quiet)
    assert traced.get(headers=headers(trace_id)).status == 200
    collector.trace(trace_id, GATEWAY, *SPANS)
    assert not [span for span in collector.spans if span.trace_id == quiet]


@pytest.mark.parametrize("way", [0, 1], ids=["direct", "through Envoy"])
def test_a_grpc_call_is_one_tree(traced: Stack, collector: Collector, way: int) -> None:
    trace_id = token_hex(16)
    with grpc.insecure_channel(traced.grpc_addresses[way]) as channel:
        request = pb.GetCallRequest(id=CALL_ID)
        LiveCallsStub(channel).GetCall(request, metadata=tuple(headers(trace_id).items()))
    spans = collector.trace(trace_id, *SPANS)
    by_envoy = way or traced.deployment is Deployment.EMBEDDED
    above = collector.trace(trace_id, "grpc")["grpc"].id if by_envoy else SPAN_ID
    assert spans[SERVER].parent == above


def test_nothing_personal_or_secret_is_in_spans(traced: Stack, collector: Collector) -> None:
    trace_id = token_hex(16)
    shown = headers(trace_id)
    reply = ask(traced.gateway.url, "GET", f"/v1/live/calls/{CALL_ID}?access_token=hidden", shown)
    assert reply.json()["title"] == PLAIN_CALL.title
    collector.trace(trace_id, GATEWAY, *SPANS)
    told = b"".join(collector.bodies)
    words = (PLAIN_CALL.title, PLAIN_CALL.host_user_id, STREAM_KEY, SECRET, STREAM_CALL, "hidden")
    assert not [word for word in (*words, shown["authorization"][7:]) if word.encode() in told]


def test_a_collector_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with Collector(hangs=True).running() as collector:
        with (
            serve_running(tmp_path, **collector.settings()) as serve,
            grpc.insecure_channel(f"127.0.0.1:{serve.port}") as channel,
            pytest.raises(grpc.RpcError),
        ):
            LiveCallsStub(channel).GetCall(pb.GetCallRequest(id=CALL_ID))
        assert collector.requests == 1
