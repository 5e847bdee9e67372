"""How the server listens, ends and logs, by itself and inside Envoy."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from machine.addresses import LAST_PORT, Host, Port
from machine.environment import EnvironmentSettings
from server.config.quantities import Count, Milliseconds


def _upper_if_text(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class ServerSettings(EnvironmentSettings):
    """Where the server listens, whom it lets in, how it ends, and how it logs."""

    grpc_host: Host = "127.0.0.1"
    grpc_port: Port = 50051
    workers: Count = 1
    """Processes that answer: the first on `grpc_port`, each other on the port behind the last."""
    auth: Literal["on", "off"] = "on"
    """`off` lets everybody call, with a token or without."""
    max_concurrent_requests: Count = 2000
    """Requests under way at once; more are turned away, rather than left to wait."""
    max_connection_age_ms: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """How old a connection may get until its caller is sent for another; 0 is as old as it likes."""
    shutdown_grace_ms: Milliseconds = 2000
    """How long requests under way may still run once the server is told to end."""
    reflection: Literal["on", "off"] = "off"
    """`on` tells everybody what the contract is, so that tools can call without it."""
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper_if_text)
    ] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @property
    def reflected(self) -> bool:
        """Whether everybody is told what the contract is."""
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

    @model_validator(mode="after")
    def _each_worker_has_a_port(self) -> Self:
        if self.workers > 1 and self.grpc_port == 0:
            raise ValueError("GRPC_PORT must not be 0 with several WORKERS: name the port of the first")
        if self.grpc_ports[-1] > LAST_PORT:
            raise ValueError(f"GRPC_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them")
        return self


class InsideSettings(EnvironmentSettings):
    """How the server runs inside Envoy, and when such a worker is ended to be started again."""

    inside: bool = False
    """Whether Python answers in Envoy's own process, on the gateway's port."""
    admin_port: Port = 9901
    """The admin page of the first worker's Envoy; each other's is on the port behind the last."""
    inside_stuck_ms: Milliseconds = 10_000
    """How long the event loop may stand still."""
    inside_max_mb: Count | None = None
    """Resident memory of a worker, Envoy's and Python's together, in MiB; if unset, its share of the
    cgroup's."""
    inside_waits: bool = True
    """Whether Envoy waits with listening until the server is ready."""
    inside_kept: bool = False
    """Whether whoever keeps the worker closes its standard input as it is to end."""
