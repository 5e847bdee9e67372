"""The settings of the gateway, read once from the environment."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _is_ip_address(text: str) -> str:
    ip_address(text)
    return text


Port = Annotated[int, Field(ge=0, le=65535)]
Count = Annotated[int, Field(gt=0, lt=2**31)]
IpAddress = Annotated[str, AfterValidator(_is_ip_address)]
# As browsers say it: no path, not even a slash. Anything else would never match.
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]


class GatewaySettings(BaseSettings):
    """Where the gateway listens, whom it asks, and which origins may read it."""

    model_config = SettingsConfigDict(frozen=True)

    rest_host: IpAddress = "127.0.0.1"
    rest_port: Port = 8080
    """0 lets the system choose; the admin port tells which it chose."""
    admin_port: Port = 9901
    """Where Envoy shows its state and counters; on loopback only."""
    grpc_host: str = "127.0.0.1"
    grpc_port: Annotated[int, Field(gt=0, le=65535)] = 50051
    rest_timeout_ms: Annotated[int, Field(gt=0, lt=100_000_000)] = 5000
    """How long a REST request may take; the server is told. gRPC callers set their own deadline."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """Origins whose pages may read replies, separated by commas: https://app.example.com."""

    trusted_proxies: Annotated[int, Field(ge=0, le=100)] = 0
    """Proxies in front of the gateway whose word about the caller's address is taken."""
    rate_limit_per_second: Annotated[int, Field(ge=0, lt=2**31)] = 1000
    """Requests that one address may send; 0 is no limit."""
    rate_limit_burst: Count = 2000
    """Requests that one address may send at once, after it was silent."""
    max_connections: Count = 10_000
    """Connections of all callers together; one more is closed as it comes."""

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [origin.strip() for origin in value.split(",") if origin.strip()]
