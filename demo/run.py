"""Runs the whole service on one machine: database, Stream stand-in, server and gateway."""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from demo.access import demo_access, has_own_issuer
from demo.database import demo_database
from demo.error import DemoError
from demo.folders import DATA, POSTGRES
from demo.plan import plan
from demo.supervision import supervise_parts
from demo.token_kind import TokenKind
from demo.welcome import welcome
from gateway.config import GatewaySettings
from machine.addresses import find_obstacle
from server.config.settings import Settings


def run_demo(
    settings: Settings, gateway: GatewaySettings, kind: TokenKind = TokenKind.JWT, *, tls: bool
) -> None:
    """Run everything until a signal ends it, with TLS everywhere or nowhere; what dies is restarted.

    The kind is that of the demo's own access tokens.

    Raises DemoError if it cannot start, and KeyboardInterrupt if it is ended while it prepares to.
    """
    DATA.mkdir(exist_ok=True)
    with _alone(DATA / "lock"):
        _refuse_other_certificates(settings, gateway)
        _refuse_kind_of_others(settings, kind)
        _refuse_unusable_addresses(settings, gateway)
        with demo_database(settings.database, POSTGRES) as database:
            access = demo_access(settings, gateway, kind, tls=tls)
            demo = plan(settings, gateway, access, database.url)
            text = welcome(demo, database, access)
            asyncio.run(supervise_parts(demo.parts, database.embedded, text))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep a second demo from the data of the first; the lock ends with its process, however it ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"Another demo runs on the data in {lock.parent.resolve()}: end it first"
            ) from None
        yield


def _refuse_unusable_addresses(settings: Settings, gateway: GatewaySettings) -> None:
    server = settings.server
    # Embedded in Envoy, the server has no port of its own.
    grpc_ports = range(0) if gateway.embedded else server.grpc_ports
    addresses: list[tuple[Literal["GRPC", "REST"], str, int]] = [
        ("REST", gateway.rest_host, gateway.rest_port),
        *(("GRPC", server.grpc_host, port) for port in grpc_ports),
    ]
    for face, host, port in addresses:
        if obstacle := find_obstacle(host, port):
            raise DemoError(obstacle.describe(host, port, face))
    if gateway.rest_port in grpc_ports[:1]:
        raise DemoError("REST_PORT and GRPC_PORT are the same: name another for one of them")
    if gateway.rest_port in grpc_ports:
        raise DemoError("REST_PORT is the port of a worker: name another for it, or for GRPC_PORT")


def _refuse_other_certificates(settings: Settings, gateway: GatewaySettings) -> None:
    """Refuse certificates of others: the demo has no authority to call itself by them."""
    for name, given in (
        ("GRPC_TLS", settings.tls.certificate_file),
        ("REST_TLS", gateway.rest_tls_certificate_file),
        ("UPSTREAM_TLS", gateway.upstream_tls_ca_file),
    ):
        if given:
            raise DemoError(f"The demo has certificates of its own: TLS=1 instead of {name}_…")


def _refuse_kind_of_others(settings: Settings, kind: TokenKind) -> None:
    """Refuse opaque tokens if the settings have another issuer, or none."""
    if kind is TokenKind.OPAQUE and not has_own_issuer(settings):
        raise DemoError("TOKENS=opaque is for the demo's own issuer: leave AUTH=off and AUTH_… out")
