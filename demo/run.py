"""Runs the whole service on one machine: database, Stream stand-in, server and gateway."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import grpc

from demo.access import Access, demo_access, has_own_issuer
from demo.database import DemoDatabase, demo_database
from demo.folders import DATA, POSTGRES
from demo.plan import Plan, plan
from demo.processes import Process, run_processes
from demo.readiness import grpc_answers, rest_answers, wait_until
from demo.sample_calls import sample_id
from demo.token_kind import TokenKind
from demo.welcome import welcome
from gateway.config import GatewaySettings
from machine.addresses import find_obstacle
from server.config.settings import Settings

# Ctrl-C ends all of it within 5 s: the processes within 3, PostgreSQL after them.
_END_WITHIN_SECONDS = 3.0
_READY_WITHIN_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.5


class DemoError(Exception):
    """The demo cannot start; the message advises what to do."""


def run_demo(
    settings: Settings, gateway: GatewaySettings, kind: TokenKind = TokenKind.JWT, *, tls: bool
) -> None:
    """Run everything until interrupted, with TLS everywhere or nowhere; what dies is restarted.

    The kind is that of the demo's own access tokens.

    Raises DemoError if it cannot start, and KeyboardInterrupt when it is ended.
    """
    DATA.mkdir(exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_alone(DATA / "lock"))
        _refuse_other_certificates(settings, gateway)
        _refuse_kind_of_others(settings, kind)
        _refuse_unusable_addresses(settings, gateway)
        database = stack.enter_context(demo_database(settings.database, POSTGRES))
        access = demo_access(settings, gateway, kind, tls=tls)
        demo = plan(settings, gateway, access, database.url)
        stack.enter_context(run_processes(demo.processes, end_within=_END_WITHIN_SECONDS))
        _wait_until_ready(demo, access)
        print(welcome(demo, database, access), flush=True)  # noqa: T201 - the demo speaks to people
        _keep_running(demo.processes, database)


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


def _wait_until_ready(demo: Plan, access: Access) -> None:
    url = f"{demo.rest_url}/v1/live/calls/{sample_id(1)}"
    certificates = access.certificates
    credentials = grpc.ssl_channel_credentials(*certificates.caller()) if certificates else None
    ca_file = certificates.ca_file if certificates else None
    # The user's own issuer, which may be unavailable, is not called for a token that it did not issue.
    token = access.token if access.issued else None

    def ready() -> bool:
        _refuse_dead(demo.processes)
        each_serves = all(grpc_answers(address, credentials) for address in demo.grpc_addresses)
        return each_serves and rest_answers(url, token, ca_file)

    if not wait_until(ready, _READY_WITHIN_SECONDS):
        raise DemoError(f"Not all of it answers after {_READY_WITHIN_SECONDS:.0f} s; see {DATA}/*.log")


def _refuse_dead(processes: list[Process]) -> None:
    for process in processes:
        if process.exit_code() is not None:
            raise DemoError(f"The {process.name} ended at once; see {process.log or 'above'}")


def _keep_running(processes: list[Process], database: DemoDatabase) -> None:
    while True:
        time.sleep(_LOOK_EVERY_SECONDS)
        database.keep_running()
        for process in processes:
            if (code := process.exit_code()) is not None:
                print(f"The {process.name} ended ({code}); starting it again", flush=True)  # noqa: T201
                process.start()
