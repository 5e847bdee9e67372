"""Traces of the requests that are sampled; of all others nothing is made but a decision.

OpenTelemetry is imported only once tracing is opened. Spans are made by hand: its own instrumentation
takes as long as the rest of a request, sampled or not.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Protocol, Self

from machine.tracing import TracingSettings
from server.runtime.sampling import Sampling

if TYPE_CHECKING:
    from server.runtime.otlp import Spans, SpanUnderWay

Kind = Literal["internal", "server", "client"]
Value = str | int | bool
Attributes = Mapping[str, Value]

PARENT_KEYS = ("traceparent", "tracestate")
"""The metadata by which a caller hands on its trace (W3C Trace Context)."""

_NO_ATTRIBUTES: Attributes = {}

_tracing: "_Tracing | None" = None
_current: ContextVar["SpanUnderWay | None"] = ContextVar("span", default=None)


class Metadata(Protocol):
    """Returns the values of a key of a request's metadata."""

    def __call__(self, key: str) -> Sequence[str | bytes]: ...


class _Tracing:
    def __init__(self, sampling: Sampling, spans: "Spans") -> None:
        self.sampling = sampling
        self.spans = spans


@contextmanager
def open_tracing(settings: TracingSettings) -> Iterator[None]:
    """Trace requests while the block lasts, if that is configured; its end takes a second at most."""
    global _tracing  # noqa: PLW0603 - one a process, as the log is
    if not settings.on:
        yield
        return
    from server.runtime.otlp import open_spans  # noqa: PLC0415 - only if traces are exported

    with open_spans(settings) as spans:
        _tracing = _Tracing(Sampling(settings.ratio, follows_caller=settings.follows_caller), spans)
        try:
            yield
        finally:
            _tracing = None


def sample(metadata: Metadata) -> Mapping[str, str] | None:
    """Decide whether to trace a request: return what its caller hands on of its trace, or None."""
    if _tracing is None:
        return None
    traceparent = _the_one(metadata("traceparent"))
    if not _tracing.sampling.includes(traceparent):
        return None
    tracestate = [value for value in metadata("tracestate") if isinstance(value, str)]
    return {"traceparent": traceparent, "tracestate": ",".join(tracestate)}


def begin(name: str, parent: Mapping[str, str], attributes: Attributes) -> "SpanUnderWay | None":
    """Begin the span of a sampled request, below which all spans of its task are put."""
    if _tracing is None:
        return None  # it was closed meanwhile
    span = _tracing.spans.begin_below_caller(name, parent, attributes)
    _current.set(span)
    return span


def current() -> "SpanUnderWay | None":
    """Return the innermost span of the request that is being served, None if it is not sampled."""
    return _current.get()


def span(
    name: str, kind: Kind = "internal", attributes: Attributes = _NO_ATTRIBUTES
) -> "_Block | _NoBlock":
    """Make a span of a block, if the request is sampled; an exception in it is noted by its class."""
    parent = _current.get()
    if parent is None or _tracing is None:
        return _NO_BLOCK
    return _Block(_tracing.spans.begin(name, kind, parent, attributes))


def note(name: str, value: Value) -> None:
    """Set an attribute of the innermost span, if the request is sampled."""
    if (innermost := _current.get()) is not None:
        innermost.set(name, value)


def outgoing_headers() -> Mapping[str, str]:
    """Return the headers that hand the trace on; there are none if the request is not sampled."""
    innermost = _current.get()
    return {} if innermost is None else {"traceparent": innermost.traceparent}


def _the_one(values: Sequence[str | bytes]) -> str:
    """Return the value; W3C has none if there are several."""
    value = values[0] if len(values) == 1 else ""
    return value if isinstance(value, str) else ""


class _NoBlock:
    """The block of a request that is not sampled."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def set(self, name: str, value: Value) -> None:
        """Set nothing."""


_NO_BLOCK = _NoBlock()


class _Block:
    """A block whose span is the innermost one while it lasts."""

    __slots__ = ("_span", "_token")

    _token: "Token[SpanUnderWay | None]"

    def __init__(self, span: "SpanUnderWay") -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = _current.set(self._span)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _current.reset(self._token)
        if kind is not None:
            self._span.fail(kind.__name__)
        self._span.end()

    def set(self, name: str, value: Value) -> None:
        """Set an attribute of the span."""
        self._span.set(name, value)
