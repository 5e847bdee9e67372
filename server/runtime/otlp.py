"""Spans by OpenTelemetry's SDK, exported by OTLP over HTTP from a thread of their own.

Importing it takes a tenth of a second: only if traces are exported.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from requests import RequestException, Response, Session

from machine.tracing import TracingSettings

if TYPE_CHECKING:
    from server.runtime.tracing import Attributes, Kind, Value

log = logging.getLogger("server.tracing")

_KINDS = {"internal": SpanKind.INTERNAL, "server": SpanKind.SERVER, "client": SpanKind.CLIENT}
_W3C = TraceContextTextMapPropagator()
_ERROR = Status(StatusCode.ERROR)
_END_SECONDS = 1.0
_MAX_SHOWN = 200
"""Characters of a reason that are logged: it may quote what a collector returns."""


class SpanUnderWay:
    """A span that has begun."""

    __slots__ = ("_span", "context")

    def __init__(self, span: Span) -> None:
        self._span = span
        self.context = set_span_in_context(span, Context())
        """That of the spans below it."""

    @property
    def trace_id(self) -> str:
        """The id of its trace, in hexadecimal."""
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def traceparent(self) -> str:
        """The header that hands it on as the parent of what another program does."""
        return f"00-{self.trace_id}-{self._span.get_span_context().span_id:016x}-01"

    def set(self, name: str, value: "Value") -> None:
        """Set an attribute."""
        if self._span.is_recording():  # it may have ended: its caller may have gone
            self._span.set_attribute(name, value)

    def mark(self, name: str, attributes: "Attributes") -> None:
        """Note what has just happened."""
        if self._span.is_recording():
            self._span.add_event(name, attributes)

    def fail(self, kind: str) -> None:
        """Mark it as failed, by the kind of the error alone: its message may quote anything."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(_ERROR)

    def end(self) -> None:
        """End it; what is set from now on is lost."""
        self._span.end()


class Spans:
    """Begins spans, all of them sampled."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin_below_caller(
        self, name: str, parent: Mapping[str, str], attributes: "Attributes"
    ) -> SpanUnderWay:
        """Begin the span of a request, with the headers by which its caller hands on its trace."""
        context = _W3C.extract(parent, Context())
        return SpanUnderWay(self._tracer.start_span(name, context, SpanKind.SERVER, attributes))

    def begin(
        self, name: str, kind: "Kind", parent: SpanUnderWay, attributes: "Attributes"
    ) -> SpanUnderWay:
        """Begin a span below another."""
        return SpanUnderWay(self._tracer.start_span(name, parent.context, _KINDS[kind], attributes))


@contextmanager
def open_spans(settings: TracingSettings) -> Iterator[Spans]:
    """Export spans while the block lasts.

    At its end those that wait are exported, unless that takes more than a second.
    """
    # Not made OpenTelemetry's global one, by which the methods of Stream's SDK would make spans.
    provider = TracerProvider(sampler=ALWAYS_ON, resource=_resource(settings), shutdown_on_exit=False)
    exporter = _LoggedExporter(OTLPSpanExporter(settings.traces_url, session=_session()))
    processor = BatchSpanProcessor(exporter)
    provider.add_span_processor(processor)
    log.info("traces are exported", extra={"share": settings.ratio})
    try:
        yield Spans(provider.get_tracer("livecalls", version("livecalls")))
    finally:
        # By itself it waits for half a minute.
        ending = Thread(target=processor.shutdown, daemon=True)
        ending.start()
        ending.join(_END_SECONDS)
        exporter.abandon()


def _resource(settings: TracingSettings) -> Resource:
    """Describe this program, as the environment does if it does."""
    own = {"service.name": settings.service_name or "livecalls", "service.version": version("livecalls")}
    return Resource(own).merge(OTELResourceDetector().detect())


def _session() -> Session:
    """Make a session that fails if it is redirected, which the exporter would take for success."""
    session = Session()
    session.hooks["response"].append(_refuse_redirect)
    return session


def _refuse_redirect(response: Response, **_: object) -> None:
    if HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST:
        raise RequestException(f"{response.status_code}, and redirects are not followed")


class _LoggedExporter(SpanExporter):
    """Logs that exporting fails, once until it succeeds again; the exporter would for each batch."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._messages = _Messages()
        self._failing = False
        self._abandoned = False

    def abandon(self) -> None:
        """Log no more: nobody waits for a request that is still under way."""
        self._abandoned = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        failing = result is not SpanExportResult.SUCCESS
        if self._abandoned:
            return result
        if failing and not self._failing:
            log.warning("traces cannot be exported", extra={"reason": self._messages.last[:_MAX_SHOWN]})
        elif self._failing and not failing:
            log.info("traces are exported again")
        self._failing = failing
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
        self._messages.close()


class _Messages(logging.Handler):
    """Keeps the messages of OpenTelemetry's loggers from the log, and the last one of its exporters.

    The others may quote what a caller hands on of its trace.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self._logger = logging.getLogger("opentelemetry")
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("opentelemetry.exporter"):
            self.last = record.getMessage()

    def close(self) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = True
        super().close()
