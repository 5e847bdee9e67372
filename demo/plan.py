"""The plan of the demo: which processes, on which ports, with which settings."""

import os
import secrets
from dataclasses import dataclass

from demo.access import Access
from demo.folders import DATA
from demo.opaque_issuer import OpaqueIssuer
from demo.ports import free_port
from demo.processes import Process
from gateway.config import GatewaySettings
from machine.addresses import host_and_port, reachable
from server.config.settings import Settings

_GATEWAY_LOG = DATA / "gateway.log"


@dataclass(frozen=True)
class Plan:
    """The processes of the demo in the order they start, and their addresses."""

    processes: list[Process]
    rest_address: str
    rest_url: str
    grpc_addresses: list[str]
    admin_address: str
    stand_in_address: str | None


def plan(settings: Settings, gateway: GatewaySettings, access: Access, database_url: str) -> Plan:
    """Plan the processes: an issuer and a stand-in if they are needed, the server, the gateway.

    Only opaque tokens need a running issuer; the stand-in runs if no Stream app is configured.
    """
    wished = {"LOG_FORMAT": "text", "REFLECTION": "on", **os.environ}
    # The URL was read from that file, if it is not the demo's own.
    database = {"DATABASE_URL": database_url, "DATABASE_URL_FILE": ""}
    environment = {**wished, **database, **access.settings}
    processes = [_issuer(access.issuer, environment)] if access.issuer else []
    stand_in_address = None
    if not settings.stream.configured:
        stand_in_address = f"127.0.0.1:{free_port()}"
        stand_in, stream_settings = _stand_in(stand_in_address, environment)
        processes.append(stand_in)
        environment = {**environment, **stream_settings}
    admin_port = gateway.admin_port if "admin_port" in gateway.model_fields_set else free_port()
    environment = {**environment, "ADMIN_PORT": str(admin_port)}
    if access.certificates:
        # The gateway writes the files with their paths there.
        environment["TMPDIR"] = str(access.certificates.folder)
    processes += _embedded(environment) if gateway.embedded else _standalone(environment)
    rest_address = host_and_port(reachable(gateway.rest_host), gateway.rest_port)
    server = settings.server
    grpc_host = reachable(server.grpc_host)
    own_addresses = [host_and_port(grpc_host, port) for port in server.grpc_ports]
    return Plan(
        processes,
        rest_address=rest_address,
        rest_url=f"{'https' if access.certificates else 'http'}://{rest_address}",
        grpc_addresses=[rest_address] if gateway.embedded else own_addresses,
        admin_address=f"127.0.0.1:{admin_port}",
        stand_in_address=stand_in_address,
    )


def _standalone(environment: dict[str, str]) -> list[Process]:
    return [
        Process("server", ["server", "serve"], environment),
        Process("gateway", ["gateway", "run"], environment, _GATEWAY_LOG),
    ]


def _embedded(environment: dict[str, str]) -> list[Process]:
    command = ["server", "serve", "--embedded"]
    own = {name: value for name, value in environment.items() if not name.startswith("GRPC_TLS_")}
    return [Process("server", command, own, _GATEWAY_LOG, errors_shown=True)]


def _issuer(issuer: OpaqueIssuer, environment: dict[str, str]) -> Process:
    command = ["demo", "issuer", "--port", str(issuer.port)]
    # Servers ask it as they start, and say so loudly if they cannot.
    return Process("issuer", command, environment, DATA / "issuer.log", port=issuer.port)


def _stand_in(address: str, environment: dict[str, str]) -> tuple[Process, dict[str, str]]:
    """Plan a Stream stand-in with a secret of its own, and the settings that lead to it."""
    key, secret, port = "demo", secrets.token_hex(32), address.rpartition(":")[2]
    process = Process(
        "Stream stand-in",
        ["demo", "stream-stand-in", "--port", port, "--key", key, "--secret", secret],
        environment,
        DATA / "stream-stand-in.log",
    )
    return process, {
        "STREAM_API_KEY": key,
        "STREAM_API_SECRET": secret,
        "STREAM_BASE_URL": f"http://{address}",
    }
