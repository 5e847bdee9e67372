"""The settings of traces, by OpenTelemetry's own names, which the server and the gateway both read."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import SettingsConfigDict

from machine.environment import EnvironmentSettings

NOT_SAMPLED = f"00-{'0' * 32}-{'0' * 16}-00"
"""The `traceparent` by which the gateway tells the server not to trace a request: it names no trace."""

_TRACES_PATH = "/v1/traces"
_URL = re.compile(
    r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?(/[!-~]*)?", re.IGNORECASE | re.ASCII
)


def _is_url(text: str) -> str:
    try:
        usable = _URL.fullmatch(text) and urlsplit(text).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be http://HOST or https://HOST, with a port and a path at most")
    return text


_Url = Annotated[str, AfterValidator(_is_url)]


class TracingSettings(EnvironmentSettings):
    """Whether traces are exported, whither, and of which requests.

    Off, the others are not looked at: they may be meant for another program.
    """

    model_config = SettingsConfigDict(env_prefix="OTEL_")

    traces_exporter: Literal["none", "otlp"] = "none"
    """`otlp` exports traces."""
    sdk_disabled: bool = False
    """`true` exports nothing all the same."""
    exporter_otlp_endpoint: _Url = "http://localhost:4318"
    """The collector, `http://` or `https://`; `/v1/traces` is put behind it."""
    exporter_otlp_traces_endpoint: _Url | None = None
    """The same for traces alone, used as it is."""
    exporter_otlp_protocol: Literal["http/protobuf"] = "http/protobuf"
    """How the collector is spoken to: only by this one, whose port is 4318."""
    exporter_otlp_certificate: Path | None = None
    """The collector's CA, in PEM; without it those that this machine trusts."""
    service_name: str | None = None
    """The name in traces; without it `livecalls`, and of the gateway `livecalls-gateway`."""
    traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = "parentbased_always_on"
    """Which requests are traced: all (`…always_on`), none (`…always_off`), or a share of them
    (`…traceidratio`); `parentbased_…` does as the caller does if that has decided."""
    traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1.0
    """The share for `…traceidratio`, from 0 to 1: `0.01`."""

    @property
    def on(self) -> bool:
        """Whether traces are exported."""
        return self.traces_exporter == "otlp" and not self.sdk_disabled

    @property
    def traces_url(self) -> str:
        """Where spans are sent."""
        return self.exporter_otlp_traces_endpoint or (
            self.exporter_otlp_endpoint.rstrip("/") + _TRACES_PATH
        )

    @property
    def ratio(self) -> float:
        """The share of requests that are traced if no caller has decided."""
        shares = {"always_on": 1.0, "always_off": 0.0}
        return shares.get(self.traces_sampler.removeprefix("parentbased_"), self.traces_sampler_arg)

    @property
    def follows_caller(self) -> bool:
        """Whether a request is traced if its caller traces it."""
        return self.traces_sampler.startswith("parentbased_")

    @model_validator(mode="before")
    @classmethod
    def _read_only_if_on(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("traces_exporter", "none") != "none":
            return values
        return {}
