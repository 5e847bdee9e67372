"""OpenTelemetry's variables, as the server and the gateway read them."""

import pytest
from pydantic import ValidationError

from machine.tracing import TracingSettings


@pytest.fixture
def otlp(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    return monkeypatch


def test_traces_are_off_unless_they_are_turned_on() -> None:
    assert not TracingSettings().on


def test_otlp_turns_them_on(otlp: pytest.MonkeyPatch) -> None:
    assert TracingSettings().on


def test_the_sdk_may_be_disabled_all_the_same(otlp: pytest.MonkeyPatch) -> None:
    otlp.setenv("OTEL_SDK_DISABLED", "true")
    assert not TracingSettings().on


@pytest.mark.parametrize("exporter", ["", "none"])
def test_what_is_for_others_is_not_looked_at_while_they_are_off(
    otlp: pytest.MonkeyPatch, exporter: str
) -> None:
    otlp.setenv("OTEL_TRACES_EXPORTER", exporter)
    otlp.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    otlp.setenv("OTEL_TRACES_SAMPLER", "jaeger_remote")
    assert not TracingSettings().on


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "http://collector:4318/v1/traces"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a.b/otlp/", "https://a.b/otlp/v1/traces"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:1/x", "http://[::1]:1/x"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "", "http://localhost:4318/v1/traces"),
    ],
)
def test_spans_are_sent_to_the_endpoint(
    otlp: pytest.MonkeyPatch, variable: str, value: str, url: str
) -> None:
    otlp.setenv(variable, value)
    assert TracingSettings().traces_url == url


@pytest.mark.parametrize(
    ("sampler", "ratio", "follows_caller"),
    [
        ("always_on", 1, False),
        ("always_off", 0, False),
        ("traceidratio", 0.25, False),
        ("parentbased_always_on", 1, True),
        ("parentbased_always_off", 0, True),
        ("parentbased_traceidratio", 0.25, True),
    ],
)
def test_each_sampler_has_a_share_and_follows_callers_or_not(
    otlp: pytest.MonkeyPatch, sampler: str, ratio: float, *, follows_caller: bool
) -> None:
    otlp.setenv("OTEL_TRACES_SAMPLER", sampler)
    otlp.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    settings = TracingSettings()
    assert (settings.ratio, settings.follows_caller) == (ratio, follows_caller)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@collector"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:99999"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1"),
        ("OTEL_TRACES_SAMPLER_ARG", "a tenth"),
    ],
)
def test_what_cannot_be_meant_is_refused(otlp: pytest.MonkeyPatch, variable: str, value: str) -> None:
    otlp.setenv(variable, value)
    with pytest.raises(ValidationError):
        TracingSettings()
