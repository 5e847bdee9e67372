"""What is logged of an exporter that fails."""

import logging
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from server.runtime.otlp import _LoggedExporter


class FailingExporter(SpanExporter):
    """Fails, and logs that as OpenTelemetry's own does."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        logging.getLogger("opentelemetry.exporter").error("no %s", "x" * 1000)
        return SpanExportResult.FAILURE


@pytest.fixture
def exporter() -> Iterator[_LoggedExporter]:
    exporter = _LoggedExporter(FailingExporter())
    yield exporter
    exporter.shutdown()


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return our own lines: pytest also captures those that reach no log."""
    return [line for line in caplog.records if line.name == "server.tracing"]


def test_the_reason_is_the_exporters_own_and_not_long(
    exporter: _LoggedExporter, caplog: pytest.LogCaptureFixture
) -> None:
    exporter.export([])
    (line,) = lines(caplog)
    assert vars(line)["reason"] == "no " + "x" * 197


def test_one_that_is_abandoned_is_silent(
    exporter: _LoggedExporter, caplog: pytest.LogCaptureFixture
) -> None:
    exporter.abandon()
    exporter.export([])
    assert lines(caplog) == []
