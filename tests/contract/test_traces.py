"""The spans of requests, as a collector receives them."""

import asyncio
import logging
from collections.abc import Iterator, Mapping

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from demo.readiness import wait_until
from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from server.adapters.stream.client import StreamClient
from server.adapters.stream.errors import StreamFailedError
from server.runtime import tracing
from server.store.batch_loader import BatchLoader
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.machine.log import the_one
from tests.support.server.service import Service, Standalone
from tests.support.stand_ins.collector import SERVER, Collector
from tests.support.stand_ins.stream import KEY, stream_settings

REQUEST = pb.GetCallRequest(id=CALL_ID)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
TRACED = ("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-01")
NOT_TRACED = ("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-00")
NO_PARENT = {"traceparent": "", "tracestate": ""}
standalone = pytest.mark.parametrize("deployment", [Standalone()], ids=["standalone"])


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector().running() as collector:
        yield collector


async def ask(service: Service, *metadata: tuple[str, str]) -> None:
    service.ports.holds(PLAIN_CALL)
    await service.stub.GetCall(REQUEST, metadata=[("x-request-id", "abc-123"), *metadata])


async def test_a_request_is_a_span(
    service: Service, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with collector.tracing():
        await ask(service)
        line = await the_one(caplog, "server.requests")
    (span,) = collector.spans
    assert (span.service, span.name, span.failed) == ("livecalls", SERVER, False)
    assert span.span.kind == span.span.SPAN_KIND_SERVER
    assert span.attributes == {
        "rpc.system": "grpc",
        "rpc.service": "livecalls.v1.LiveCalls",
        "rpc.method": "GetCall",
        "rpc.grpc.status_code": 0,
        "livecalls.request_id": "abc-123",
    }
    assert line["trace_id"] == span.trace_id


@standalone
async def test_its_span_is_below_that_of_the_caller(service: Service, collector: Collector) -> None:
    with collector.tracing("parentbased_always_off"):
        await ask(service, TRACED, ("tracestate", "a=1"), ("tracestate", "b=2"))
    (span,) = collector.spans
    assert (span.trace_id, span.parent, span.span.trace_state) == (TRACE_ID, SPAN_ID, "a=1,b=2")


@standalone
@pytest.mark.parametrize("metadata", [[NOT_TRACED], []], ids=["its caller does not trace", "nobody"])
async def test_a_request_that_is_not_sampled_leaves_nothing(
    service: Service,
    collector: Collector,
    caplog: pytest.LogCaptureFixture,
    metadata: list[tuple[str, str]],
) -> None:
    caplog.set_level(logging.INFO)
    with collector.tracing("parentbased_always_off"):
        await ask(service, *metadata)
        assert "trace_id" not in await the_one(caplog, "server.requests")
    assert collector.requests == 0


def test_a_parent_that_is_named_twice_is_none(collector: Collector) -> None:
    values = {"traceparent": [TRACED[1]] * 2}
    with collector.tracing("parentbased_always_off"):
        assert tracing.sample(lambda key: values.get(key, [])) is None


async def fail(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Send a request that fails, and wait for its line: its span ends then, after its reply."""
    caplog.set_level(logging.INFO)
    with pytest.raises(grpc.aio.AioRpcError):
        await service.stub.GetCall(REQUEST)
    while not [line for line in caplog.records if line.message == "answered"]:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(0.005)


async def test_a_bug_is_noted_without_its_words(
    service: Service, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    service.ports.fails(ZeroDivisionError("a secret"))
    with collector.tracing():
        await fail(service, caplog)
    (span,) = collector.spans
    assert span.failed
    assert span.attributes["error.type"] == "INTERNAL"
    assert span.attributes["rpc.grpc.status_code"] == 13
    assert b"secret" not in b"".join(collector.bodies)


async def test_what_the_caller_is_to_blame_for_is_no_error(
    service: Service, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    with collector.tracing():
        await fail(service, caplog)
    (span,) = collector.spans
    assert not span.failed
    assert span.attributes["rpc.grpc.status_code"] == 5


async def test_requests_that_share_a_select_name_it(collector: Collector) -> None:
    async def read(keys: list[int]) -> Mapping[int, str]:
        return {}

    loader = BatchLoader(read, max_in_flight=1, within=10)

    async def load(key: int) -> None:
        root = tracing.begin("request", NO_PARENT, {})
        assert root
        with tracing.span("SELECT"):
            await loader.load(key)
        root.end()

    with collector.tracing():
        await asyncio.gather(*(asyncio.create_task(load(key)) for key in (1, 2, 1)))
        await asyncio.create_task(load(1))
    batches = [span.events["the read begins"] for span in collector.spans if span.name == "SELECT"]
    counts = [(it["livecalls.batch.requests"], it["livecalls.batch.keys"]) for it in batches]
    assert counts == [(3, 2), (3, 2), (3, 2), (1, 1)]
    ids = [it["livecalls.batch.id"] for it in batches]
    assert ids[0] == ids[1] == ids[2] != ids[3]


async def test_a_request_to_stream_that_fails_is_noted_without_the_apps_key(
    collector: Collector, stand_in: StreamStandIn, stream_url: str
) -> None:
    stand_in.behaviour = Behaviour.ERROR
    client = StreamClient(stream_settings(stream_url))
    with collector.tracing():
        root = tracing.begin("request", NO_PARENT, {})
        assert root
        with pytest.raises(StreamFailedError):
            await client.fetch("livestream", "some-call")
        root.end()
    await client.aclose()
    span = next(span for span in collector.spans if span.parent == root.traceparent.split("-")[2])
    assert span.failed
    assert span.span.kind == span.span.SPAN_KIND_CLIENT
    assert span.attributes == {
        "http.request.method": "GET",
        "url.template": "/api/v2/video/call/{type}/{id}",
        "server.address": "127.0.0.1",
        "server.port": int(stream_url.rpartition(":")[2]),
        "http.response.status_code": 500,
        "error.type": "StreamFailedError",
    }
    assert KEY.encode() not in b"".join(collector.bodies)


async def test_a_request_that_is_not_traced_hands_nothing_on_to_stream(
    collector: Collector, stand_in: StreamStandIn, stream_url: str
) -> None:
    stand_in.put("livestream", "some-call")
    client = StreamClient(stream_settings(stream_url))
    with collector.tracing():
        await client.fetch("livestream", "some-call")
    await client.aclose()
    assert stand_in.last_traceparent is None
    assert collector.requests == 0


def test_a_collector_that_fails_is_logged_once_until_it_is_well_again(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    caplog.set_level(logging.INFO)

    def export() -> None:
        before = collector.requests
        end_a_span()
        assert wait_until(lambda: collector.requests > before, 10)

    with collector.tracing():
        for collector.status in (400, 400, 200, 200):
            export()
    messages = [(line.levelname, line.message) for line in caplog.records]
    assert messages == [
        ("INFO", "traces are exported"),
        ("WARNING", "traces cannot be exported"),
        ("INFO", "traces are exported again"),
    ]
    assert "400" in vars(caplog.records[1])["reason"]


def test_a_collector_that_redirects_is_one_that_fails(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    collector.status = 302
    with collector.tracing():
        end_a_span()
        assert wait_until(lambda: "traces cannot be exported" in caplog.messages, 20)
    assert "302" in vars(caplog.records[-1])["reason"]


class _Disturbing(logging.Handler):
    """Begins a request with a malformed `tracestate` as soon as an exporter logs something."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("opentelemetry.exporter."):
            tracing.begin("request", {"traceparent": TRACED[1], "tracestate": "A secret"}, {})


def test_nothing_of_callers_is_in_the_reason(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    collector.status = 400
    disturbing = _Disturbing()
    with collector.tracing():
        logging.getLogger("opentelemetry").addHandler(disturbing)
        end_a_span()
        assert wait_until(lambda: "traces cannot be exported" in caplog.messages, 20)
        logging.getLogger("opentelemetry").removeHandler(disturbing)
    assert "400" in vars(caplog.records[-1])["reason"]
    assert not [line for line in caplog.records if "secret" in str(vars(line))]


def end_a_span() -> None:
    span = tracing.begin("request", NO_PARENT, {})
    assert span
    span.end()


def test_spans_that_find_no_room_are_lost_without_a_line(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    collector.hangs = True
    caplog.set_level(logging.INFO)
    with collector.tracing():
        for _ in range(100):
            end_a_span()
        assert [line.message for line in caplog.records] == ["traces are exported"]
