"""Tracing that is off."""

import subprocess
import sys

from machine.tracing import TracingSettings
from server.runtime import tracing

_IMPORTS = """
import sys
from machine.tracing import TracingSettings
from server.runtime.tracing import open_tracing

with open_tracing(TracingSettings()):
    print(*(name for name in sys.modules if name.startswith("opentelemetry")))
"""


def test_opentelemetry_is_not_even_imported() -> None:
    said = subprocess.check_output([sys.executable, "-c", _IMPORTS], text=True)
    assert said.strip() == ""


def test_no_request_is_sampled_nor_its_metadata_read() -> None:
    def read(key: str) -> list[str]:
        raise AssertionError

    with tracing.open_tracing(TracingSettings()):
        assert tracing.sample(read) is None


def test_what_is_noted_is_dropped() -> None:
    with tracing.span("a span") as span:
        span.set("a", "value")
        tracing.note("another", 1)
        assert tracing.current() is None
        assert tracing.outgoing_headers() == {}
