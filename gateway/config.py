"""The settings of the gateway, read once from the environment."""

import os
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gateway.certificate_files import CaFile, ReadableFile, check_pair
from machine.addresses import LAST_PORT, Host, HostToAsk, Port
from machine.misspelt import find_misspelt


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_ip_address(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        raise ValueError("must be an IP address, without a port: Envoy listens on no name") from None
    return host


Count = Annotated[int, Field(gt=0, lt=2**31)]
IpAddress = Annotated[Host, AfterValidator(_is_ip_address)]
# As browsers say it: no path, not even a slash. Anything else would never match.
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]


_WHOLLY_OURS = ("REST_TLS_", "REST_", "UPSTREAM_TLS_", "RATE_LIMIT_", "CORS_")
# The server's, which may read the same environment; the others have first words of their own.
_NOT_OURS = frozenset({"MAX_CONCURRENT_REQUESTS"})


class GatewaySettings(BaseSettings):
    """Where the gateway listens, whom it asks, and which origins may read it."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    inside: bool = False
    """Whether Python answers in Envoy's own process, instead of a server beside it."""
    inside_kept: bool = False
    """Whether whoever keeps that process has it drain."""
    rest_host: IpAddress = "127.0.0.1"
    rest_port: Port = 8080
    """0 lets the system choose; the admin port tells which it chose."""
    admin_port: Port = 9901
    """Where Envoy shows its state and counters; on loopback only."""
    node_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] = "gateway"
    """What Envoy calls itself on its admin page."""
    grpc_host: HostToAsk = "127.0.0.1"
    grpc_port: Annotated[Port, Field(gt=0)] = 50051
    workers: Count = 1
    """The server's workers: on GRPC_PORT, and each other on the port behind the last."""
    rest_timeout_ms: Annotated[int, Field(gt=0, lt=100_000_000)] = 5000
    """How long a REST request may take; the server is told. gRPC callers set their own deadline."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """Origins whose pages may read replies and call by gRPC-Web, separated by commas: https://app.example.com."""
    reflection: Literal["on", "off"] = "off"
    """`on` lets gRPC's reflection pass, which the server must answer too."""

    trusted_proxies: Annotated[int, Field(ge=0, le=100)] = 0
    """Proxies in front of the gateway whose word about the caller's address is taken."""
    rate_limit_per_second: Annotated[int, Field(ge=0, lt=2**31)] = 1000
    """Requests that one address may send; 0 is no limit."""
    rate_limit_burst: Count = 2000
    """Requests that one address may send at once, after it was silent."""
    max_connection_age_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How old a connection may get until its caller is sent for another; 0 is as old as it likes."""
    shutdown_grace_ms: Count = 2000
    """How long requests under way may still run once the gateway is to end; 1.5 s at least."""
    max_connections: Count = 10_000
    """Connections of all callers together; one more is closed as it comes."""
    max_heap_mb: Count | None = None
    """Envoy's heap in MiB; without it, as `limits` has it."""

    # Files are PEM, and certificates come with those between them and the CA's.
    rest_tls_certificate_file: ReadableFile | None = None
    """What callers are shown; with it, they must speak TLS."""
    rest_tls_key_file: ReadableFile | None = None
    upstream_tls_ca_file: CaFile | None = None
    """The CA of the server's certificate; with it, the server is spoken to by TLS."""
    upstream_tls_certificate_file: ReadableFile | None = None
    """What the server is shown, where it asks for a certificate."""
    upstream_tls_key_file: ReadableFile | None = None
    upstream_tls_name: Host | None = None
    """The DNS name or IP address in the server's certificate; GRPC_HOST where it is not set."""

    @property
    def rest_by_both(self) -> bool:
        """Whether callers come by IPv4 as well as by IPv6: Linux has one wildcard for both."""
        return ":" in self.rest_host and _is_wildcard(self.rest_host)

    @property
    def shares_port(self) -> bool:
        """Whether others may listen on the same port: workers, and those that take their places."""
        return self.inside

    @property
    def grpc_ports(self) -> range:
        """The port of each worker."""
        return range(self.grpc_port, self.grpc_port + self.workers)

    @model_validator(mode="before")
    @classmethod
    def _none_is_misspelt(cls, values: dict[str, Any]) -> dict[str, Any]:
        settings = _NOT_OURS.union(name.upper() for name in cls.model_fields)
        if misspelt := list(find_misspelt(os.environ, settings, _WHOLLY_OURS)):
            raise ValueError("; ".join(misspelt))
        return values

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [origin.strip() for origin in value.split(",") if origin.strip()]

    @model_validator(mode="after")
    def _each_worker_has_a_port(self) -> Self:
        if self.grpc_ports[-1] > LAST_PORT:
            raise ValueError(f"GRPC_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them")
        return self

    @model_validator(mode="after")
    def _certificates_have_their_keys(self) -> Self:
        check_pair("REST_TLS", self.rest_tls_certificate_file, self.rest_tls_key_file)
        check_pair("UPSTREAM_TLS", self.upstream_tls_certificate_file, self.upstream_tls_key_file)
        return self

    @model_validator(mode="after")
    def _upstream_tls_has_a_ca(self) -> Self:
        needing = self.upstream_tls_certificate_file or self.upstream_tls_name
        if needing and not self.upstream_tls_ca_file:
            raise ValueError(
                "UPSTREAM_TLS_CA_FILE is missing, without which the server is not spoken to by TLS"
            )
        return self
