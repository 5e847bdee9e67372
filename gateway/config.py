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


def _is_ipv6_wildcard(host: str) -> bool:
    return ":" in host and ip_address(host).is_unspecified


def _is_ip_address(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        raise ValueError("must be an IP address, without a port: Envoy listens on no name") from None
    return host


Count = Annotated[int, Field(gt=0, lt=2**31)]
IpAddress = Annotated[Host, AfterValidator(_is_ip_address)]
# As browsers send it: no path, not even a slash. Anything else would never match.
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]


_WHOLLY_OURS = ("REST_TLS_", "REST_", "STATS_", "UPSTREAM_TLS_", "RATE_LIMIT_", "CORS_")
# The server's, which may read the same environment; its other settings have their own prefixes.
_NOT_OURS = frozenset({"MAX_CONCURRENT_REQUESTS"})


class GatewaySettings(BaseSettings):
    """The gateway's address, its upstream, and the origins that may read it."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    embedded: bool = False
    """`1` embeds the server; `GRPC_HOST` and `GRPC_PORT` are not used then."""
    embedded_supervised: bool = False
    """Internal: `serve --embedded` sets it, and has Envoy drain."""
    rest_host: IpAddress = "127.0.0.1"
    """Where to listen, an address: REST, gRPC and gRPC-Web on one port; `::` is all, by IPv6 and
    IPv4."""
    rest_port: Port = 8080
    """The port there; `0` lets the system choose, and the admin page shows which."""
    admin_port: Port = 9901
    """Envoy's admin page, on loopback only; `make run` takes a free one."""
    stats_host: IpAddress = "127.0.0.1"
    """Where Prometheus reads Envoy's statistics, an address; `::` is all, by IPv6 and IPv4."""
    stats_port: Port = 0
    """The port there, which serves `/stats/prometheus` and `/ready` and nothing else of the admin page;
    embedded, that of the first worker. `0` is off."""
    node_id: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")] = "gateway"
    """Envoy's id on its admin page."""
    grpc_host: HostToAsk = "127.0.0.1"
    """Where to ask the server; `::` and `0.0.0.0`, on which it may listen, are this machine."""
    grpc_port: Annotated[Port, Field(gt=0)] = 50051
    """The port there; with several `WORKERS` that of the first."""
    workers: Count = 1
    """The server's workers, as many as it has, on `GRPC_PORT` and the ports behind it."""
    rest_timeout_ms: Annotated[int, Field(gt=0, lt=100_000_000)] = 5000
    """How long a REST request may take; gRPC callers set a deadline themselves."""
    cors_origins: Annotated[tuple[Origin, ...], NoDecode] = ()
    """Origins whose pages may read replies, and call by gRPC-Web; separated by commas:
    `https://app.example.com`."""
    reflection: Literal["on", "off"] = "off"
    """`on` lets reflection pass, which the server must answer too."""

    trusted_proxies: Annotated[int, Field(ge=0, le=100)] = 0
    """Proxies in front of the gateway that are believed about the caller's address (`X-Forwarded-For`,
    with a port or without)."""
    trust_trace_context: Literal["on", "off"] = "off"
    """`on` believes callers' `traceparent` and `tracestate`: whether a request is traced, and in which
    trace. `off` removes both, and the gateway decides by itself."""
    rate_limit_per_second: Annotated[int, Field(ge=0, lt=2**31)] = 1000
    """Requests a second from one IPv4 address or IPv6 /64; `0` is no limit."""
    rate_limit_burst: Count = 2000
    """How many of them may come at once, after a pause."""
    max_connection_age_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Age at which a caller's connection is closed by GOAWAY or `connection: close`, or a tenth later;
    `0` is no limit."""
    drain_delay_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How long the gateway goes on serving with `/readyz` at 503 once it gets SIGTERM, and
    `SHUTDOWN_GRACE_MS` begins only then: for load balancers that are slow to notice."""
    shutdown_grace_ms: Count = 2000
    """How long requests under way may still run once the gateway gets SIGTERM; 1.5 s at least."""
    max_connections: Count = 10_000
    """Connections of all callers together; one more is closed as it comes. Lowered to what the machine
    allows, with a line at the start."""
    envoy_concurrency: Annotated[int, Field(gt=0, le=1024)] | None = None
    """Threads of Envoy that serve callers, its `--concurrency`; embedded always 1. Without it one for
    each CPU, by the affinity and the cgroup's limit, and no more than `WORKERS` if `GRPC_HOST` is
    loopback. Beside workers of the same machine choose as many as these, else as many as a container's
    CPUs."""
    max_heap_mb: Count | None = None
    """Envoy's heap in MiB; as it fills, requests are answered 503. Without it a share of the cgroup's
    limit."""
    log_requests_ratio: Annotated[float, Field(ge=0, le=1)] = 1
    """The fraction of requests that end in `OK` or `NOT_FOUND` with a line in the access log, such as
    `0.01`; all others have one. The server samples the same ones."""

    # Files are PEM, and certificates include those that lead to the CA.
    rest_tls_certificate_file: ReadableFile | None = None
    """PEM, with the certificates between it and the CA's; callers must speak TLS then."""
    rest_tls_key_file: ReadableFile | None = None
    """Its key."""
    upstream_tls_ca_file: CaFile | None = None
    """The CA of the server's certificate; the server is spoken to by TLS then."""
    upstream_tls_certificate_file: ReadableFile | None = None
    """What the server is shown, if it asks for a certificate."""
    upstream_tls_key_file: ReadableFile | None = None
    """Its key."""
    upstream_tls_name: Host | None = None
    """DNS name or IP address in the server's certificate; `GRPC_HOST` without it."""

    @property
    def rest_by_both(self) -> bool:
        """Whether callers connect by IPv4 as well as by IPv6: Linux has one wildcard for both."""
        return _is_ipv6_wildcard(self.rest_host)

    @property
    def stats_by_both(self) -> bool:
        """The same for those who read statistics."""
        return _is_ipv6_wildcard(self.stats_host)

    @property
    def shares_port(self) -> bool:
        """Whether others may listen on the same port: workers, and their replacements."""
        return self.embedded

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
    def _embedded_has_one_thread(self) -> Self:
        if self.embedded and self.envoy_concurrency not in {None, 1}:
            raise ValueError(
                "ENVOY_CONCURRENCY: embedded, each of the WORKERS has one thread of Envoy: leave it out"
            )
        return self

    @model_validator(mode="after")
    def _stats_have_an_admin_port(self) -> Self:
        if self.stats_port and not self.admin_port:
            raise ValueError("STATS_PORT needs an ADMIN_PORT other than 0, from which it reads")
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
