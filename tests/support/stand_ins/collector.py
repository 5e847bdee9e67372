"""A collector of traces: receives OTLP over HTTP, and keeps the spans."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from demo.readiness import wait_until
from demo.serving import serve_in_thread
from machine.tracing import TracingSettings
from server.runtime import tracing

SERVER = "livecalls.v1.LiveCalls/GetCall"
"""The name of the server's span of a request."""


@dataclass(frozen=True)
class ReceivedSpan:
    """A span, with the name of the service that made it."""

    service: str
    span: pb.Span

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def id(self) -> str:
        return self.span.span_id.hex()

    @property
    def parent(self) -> str:
        """The id of the span above it, empty if there is none."""
        return self.span.parent_span_id.hex()

    @property
    def trace_id(self) -> str:
        return self.span.trace_id.hex()

    @property
    def attributes(self) -> dict[str, Any]:
        return _values(self.span.attributes)

    @property
    def failed(self) -> bool:
        return self.span.status.code == pb.Status.STATUS_CODE_ERROR

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        """What was marked, by its name."""
        return {event.name: _values(event.attributes) for event in self.span.events}


@dataclass
class Collector:
    """The collector, by its URL; it can be made to fail or to hang."""

    url: str = ""
    status: int = 200
    spans: list[ReceivedSpan] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    requests: int = 0
    hangs: bool = False

    def settings(self, **more: str) -> dict[str, str]:
        """Return the settings that export to it, soon after spans have ended."""
        return {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            **more,
        }

    @contextmanager
    def tracing(self, sampler: str = "always_on") -> Iterator[None]:
        """Export from this process while the block lasts: all spans have come at its end.

        What a test has begun in no task of its own is no parent of what follows.
        """
        settings = TracingSettings(
            traces_exporter="otlp", exporter_otlp_endpoint=self.url, traces_sampler=sampler
        )
        outside = tracing._current.set(None)
        try:
            with tracing.open_tracing(settings):
                yield
        finally:
            tracing._current.reset(outside)

    def trace(self, trace_id: str, *names: str) -> dict[str, ReceivedSpan]:
        """Wait until a trace has spans of these names, and return all of it by their names."""
        assert wait_until(lambda: set(names) <= set(self._named(trace_id)), 20), self._named(trace_id)
        return self._named(trace_id)

    def _named(self, trace_id: str) -> dict[str, ReceivedSpan]:
        return {it.name: it for it in list(self.spans) if it.trace_id == trace_id}

    @contextmanager
    def running(self) -> Iterator["Collector"]:
        """Receive while the block lasts."""
        application = web.Application()
        application.router.add_post("/v1/traces", self._receive)
        with serve_in_thread(application) as self.url:
            yield self

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.status == 200:
            self.bodies.append(body)
            self.spans += _spans_of(ExportTraceServiceRequest.FromString(body))
        return web.Response(status=self.status)


def _spans_of(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    for part in request.resource_spans:
        service = _values(part.resource.attributes)["service.name"]
        for scope in part.scope_spans:
            yield from (ReceivedSpan(service, span) for span in scope.spans)


def _values(attributes: Any) -> dict[str, Any]:
    return {
        it.key: getattr(it.value, it.value.WhichOneof("value") or "string_value") for it in attributes
    }
