"""How the server listens, shuts down and logs, standalone and embedded in Envoy."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from machine.addresses import LAST_PORT, Host, Port
from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds


def _upper_if_text(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class ServerSettings(EnvironmentSettings):
    """The address the server listens on, whom it admits, how it shuts down, and how it logs."""

    grpc_host: Host = "127.0.0.1"
    """Where to listen: an address or a name; IPv6 with brackets or without, as in all settings of hosts;
    `::` is all addresses, by IPv6 and IPv4."""
    grpc_port: Port = 50051
    """The port there; with several `WORKERS` that of the first."""
    workers: Count = 1
    """Processes that answer, on `GRPC_PORT` and the ports behind it; `serve --workers` overrides it."""
    auth: Literal["on", "off"] = "on"
    """`off` lets everybody call, with a token or without; the log warns of it."""
    max_concurrent_requests: Count = 2000
    """Requests under way at once; more are turned away rather than left to wait."""
    max_connection_age_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How old a connection to gRPC may get, give or take a tenth, until its caller is sent for another,
    and so spreads over new servers; what is under way has a minute. `0` is no limit."""
    drain_delay_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How long the server goes on serving with its health at NOT_SERVING once it gets SIGTERM, and
    `SHUTDOWN_GRACE_MS` begins only then: for load balancers that are slow to notice."""
    shutdown_grace_ms: Milliseconds = 2000
    """How long requests under way may still run once the server gets SIGTERM."""
    reflection: Literal["on", "off"] = "off"
    """`on` shows the contract to everybody, so that tools can call without it; `make run` turns it
    on."""
    metrics_host: Host = "127.0.0.1"
    """Where metrics are served to Prometheus, to whoever reaches it."""
    metrics_port: Port = 0
    """The port there, with several `WORKERS` that of the first: each serves its own metrics at
    `/metrics`. `0` serves none; `make run` chooses a port."""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper_if_text)
    ] = "INFO"
    """`DEBUG`, `INFO`, `WARNING` or `ERROR`, in upper or lower case."""
    log_format: Literal["json", "text"] = "json"
    """`json`, or `text` for people; to standard error."""
    log_requests_ratio: Annotated[float, Field(ge=0, le=1)] = 1
    """The fraction of requests that end in `OK` or `NOT_FOUND` with a line in the log, such as `0.01`;
    all others have one."""

    @property
    def reflected(self) -> bool:
        """Whether the contract is served to everybody."""
        return self.reflection == "on"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.grpc_host).is_loopback
        except ValueError:
            return self.grpc_host == "localhost"

    @property
    def grpc_ports(self) -> range:
        """The port of each worker."""
        return range(self.grpc_port, self.grpc_port + self.workers)

    @property
    def metrics_ports(self) -> Sequence[int]:
        """The port of each worker's metrics; 0 if they are off."""
        first = self.metrics_port
        return range(first, first + self.workers) if first else [0] * self.workers

    @model_validator(mode="after")
    def _each_worker_has_a_port(self) -> Self:
        if self.workers > 1 and self.grpc_port == 0:
            raise ValueError("GRPC_PORT must not be 0 with several WORKERS: name the port of the first")
        if self.grpc_ports[-1] > LAST_PORT:
            raise ValueError(f"GRPC_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them")
        return self


class EmbeddedSettings(EnvironmentSettings):
    """How the server runs embedded in Envoy, and when such a worker is restarted."""

    embedded: bool = False
    """`1` embeds the server in Envoy, as `serve --embedded` does; the gateway's settings count then
    too."""
    admin_port: Port = 9901
    """Embedded, Envoy's admin page of the first worker; each other's is on the port behind the last, and
    behind these are those of workers that replace them."""
    stats_port: Port = 0
    """Embedded, the port of Envoy's statistics of the first worker; each other's is on the one behind.
    `0` is off."""
    watchdog_timeout_ms: Milliseconds = 10_000
    """How long the event loop may stand still, embedded, before its Envoy is ended and started again."""
    max_rss_mb: Count | None = None
    """Memory in MiB that an Envoy with the server embedded may take, before another replaces it; without
    it a share of the cgroup's limit."""
    embedded_wait_ready: bool = True
    """Internal: `gateway validate` sets it to `0`, so as not to wait until the server is ready."""
    embedded_rest_port: Port = 0
    """Internal: the gateway sets it to its port, which all workers share."""
    embedded_supervised: bool = False
    """Internal: `serve --embedded` sets it. It closes Envoy's standard input as it is to end, which
    turns health to NOT_SERVING, and then has Envoy drain."""
