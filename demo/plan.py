"""The plan of the demo: which parts, on which ports, with which settings."""

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from demo.access import Access
from demo.folders import DATA
from demo.opaque_issuer import OpaqueIssuer
from demo.part import Part
from demo.ports import free_port, free_ports
from demo.probes import Probes
from demo.readiness import listens
from gateway.config import GatewaySettings
from machine.addresses import host_and_port, reachable
from server.config.server import ServerSettings
from server.config.settings import Settings

_GATEWAY_LOG = DATA / "gateway.log"


@dataclass(frozen=True)
class Plan:
    """The parts of the demo that are programs of this project, and their addresses."""

    parts: list[Part]
    rest_address: str
    rest_url: str
    grpc_addresses: list[str]
    admin_address: str
    metrics_addresses: list[str]
    stand_in_address: str | None


def plan(settings: Settings, gateway: GatewaySettings, access: Access, database_url: str) -> Plan:
    """Plan the parts: an issuer and a stand-in if they are needed, the server, the gateway.

    Only opaque tokens need a running issuer; the stand-in runs if no Stream app is configured.
    """
    wished = {"LOG_FORMAT": "text", "REFLECTION": "on", **os.environ}
    # The URL was read from that file, if it is not the demo's own.
    database = {"DATABASE_URL": database_url, "DATABASE_URL_FILE": ""}
    environment = {**wished, **database, **access.settings}
    # The server calls it as it starts, and complains loudly if it cannot.
    issuer = _issuer(access.issuer, environment) if access.issuer else None
    parts = [issuer] if issuer else []
    stand_in_address = None
    if not settings.stream.configured:
        stand_in_address = f"127.0.0.1:{free_port()}"
        stand_in, stream_settings = _stand_in(stand_in_address, environment)
        parts.append(stand_in)
        environment = {**environment, **stream_settings}
    admin_port = gateway.admin_port if "admin_port" in gateway.model_fields_set else free_port()
    metrics_ports = _metrics_ports(settings.server)
    environment |= {"ADMIN_PORT": str(admin_port), "METRICS_PORT": str(metrics_ports[0])}
    if access.certificates:
        # The gateway writes the files with their paths there.
        environment["TMPDIR"] = str(access.certificates.folder)
    rest_address = host_and_port(reachable(gateway.rest_host), gateway.rest_port)
    rest_url = f"{'https' if access.certificates else 'http'}://{rest_address}"
    grpc_addresses = [rest_address] if gateway.embedded else _grpc_addresses(settings.server)
    probes = Probes(rest_url, grpc_addresses, access)
    parts += (_embedded if gateway.embedded else _standalone)(environment, probes, issuer)
    return Plan(
        parts,
        rest_address=rest_address,
        rest_url=rest_url,
        grpc_addresses=grpc_addresses,
        admin_address=f"127.0.0.1:{admin_port}",
        metrics_addresses=_addresses(settings.server.metrics_host, filter(None, metrics_ports)),
        stand_in_address=stand_in_address,
    )


def _grpc_addresses(server: ServerSettings) -> list[str]:
    return _addresses(server.grpc_host, server.grpc_ports)


def _metrics_ports(server: ServerSettings) -> Sequence[int]:
    """Choose the ports of the workers' metrics, unless that is done."""
    chosen = "metrics_port" in server.model_fields_set
    return server.metrics_ports if chosen else free_ports(server.workers)


def _addresses(host: str, ports: Iterable[int]) -> list[str]:
    return [host_and_port(reachable(host), port) for port in ports]


def _standalone(environment: dict[str, str], probes: Probes, issuer: Part | None) -> list[Part]:
    return [
        Part("server", ["server", "serve"], environment, probes.grpc, after=issuer),
        Part("gateway", ["gateway", "run"], environment, probes.rest, _GATEWAY_LOG),
    ]


def _embedded(environment: dict[str, str], probes: Probes, issuer: Part | None) -> list[Part]:
    command = ["server", "serve", "--embedded"]
    own = {name: value for name, value in environment.items() if not name.startswith("GRPC_TLS_")}
    return [Part("server", command, own, probes.both, _GATEWAY_LOG, errors_shown=True, after=issuer)]


def _issuer(issuer: OpaqueIssuer, environment: dict[str, str]) -> Part:
    command = ["demo", "issuer", "--port", str(issuer.port)]
    answers = partial(listens, f"127.0.0.1:{issuer.port}")
    return Part("issuer", command, environment, answers, DATA / "issuer.log")


def _stand_in(address: str, environment: dict[str, str]) -> tuple[Part, dict[str, str]]:
    """Plan a Stream stand-in with a secret of its own, and the settings that lead to it."""
    key, secret, port = "demo", secrets.token_hex(32), address.rpartition(":")[2]
    part = Part(
        "Stream stand-in",
        ["demo", "stream-stand-in", "--port", port, "--key", key, "--secret", secret],
        environment,
        partial(listens, address),
        DATA / "stream-stand-in.log",
    )
    return part, {
        "STREAM_API_KEY": key,
        "STREAM_API_SECRET": secret,
        "STREAM_BASE_URL": f"http://{address}",
    }
