"""`python -m server serve`: serves gRPC until asked to stop, in one process or several."""

import asyncio
import os
from collections.abc import Sequence

import click

from machine.addresses import LAST_PORT, Face, find_obstacle
from machine.cgroup import memory_limit
from machine.gc import imports_left_alone
from machine.printed_settings import describe_settings
from machine.renamed import RENAMED_OPTIONS
from machine.worker_memory import worker_bytes
from server.config.loading import load_settings
from server.config.server import ServerSettings
from server.config.settings import Settings
from server.runtime.logs import configure_logging
from server.supervision.child import CannotStartError
from server.supervision.child_process import ChildSpec
from server.supervision.envoys import Envoy, Resources
from server.supervision.siblings import connect_siblings
from server.supervision.supervisor import supervise
from server.supervision.workers import Worker


class _RefusingOldOptions(click.Command):
    """A command that names the new option if it is given an old one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if new := RENAMED_OPTIONS.get(error.option_name):
                raise click.ClickException(f"{error.option_name} is called {new} now") from None
            raise


@click.command(cls=_RefusingOldOptions)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Worker processes, on GRPC_PORT and the ports after it; else WORKERS.",
)
@click.option("--embedded", is_flag=True, help="Serve in Envoy's own process, on the gateway's port.")
@click.option(
    "--print-config", is_flag=True, help="Print every setting and its source, no secret, and exit."
)
@click.option("--supervised", is_flag=True, hidden=True)  # for a worker's supervisor
def serve(*, workers: int | None, embedded: bool, print_config: bool, supervised: bool) -> None:
    """Serve gRPC until SIGTERM or Ctrl-C; embedded in Envoy, REST as well.

    Embedded workers, or several, are supervised by this process: it restarts one that exits, and
    replaces all of them at SIGHUP, one after the other.
    """
    settings = load_settings(**({} if workers is None else {"workers": workers}))
    if print_config:
        options = {"WORKERS": workers, "EMBEDDED": embedded or None}
        click.echo("\n".join(describe_settings(vars(settings).values(), options)))
    elif embedded or settings.embedded.embedded:
        if settings.tls.mode != "off":
            # No client would have to present the certificate that GRPC_TLS_CLIENT_CA_FILE demands.
            raise click.ClickException("GRPC_TLS_… is for a standalone server: embedded, set REST_TLS_…")
        _supervise(settings, _envoys(settings))
    elif settings.server.workers == 1:
        # All that answering needs, which a process that only watches over workers does without.
        with imports_left_alone():
            from server.worker import answer  # noqa: PLC0415

        answer(settings, supervised=supervised)
    else:
        _supervise(settings, _workers(settings))


def _workers(settings: Settings) -> list[ChildSpec]:
    server = settings.server
    if not set(server.grpc_ports).isdisjoint(server.metrics_ports):
        raise click.ClickException("GRPC_PORT and METRICS_PORT overlap: name others with one of them")
    for port in server.grpc_ports:
        _refuse_unusable(server.grpc_host, port)
    grace = (server.drain_delay_ms + server.shutdown_grace_ms) / 1000
    ready_within = settings.database.ready_timeout_ms / 1000
    own = zip(
        server.grpc_ports,
        _metrics_ports(server),
        connect_siblings(server.workers),
        strict=True,
    )
    return [
        Worker(port, grace, ready_within, metrics_port, siblings) for port, metrics_port, siblings in own
    ]


def _metrics_ports(server: ServerSettings) -> Sequence[int]:
    """Return the port of each worker's metrics; its workers wait for it as they replace each other."""
    ports = server.metrics_ports
    if ports[-1] > LAST_PORT:
        raise click.ClickException(
            f"METRICS_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them"
        )
    for port in filter(None, ports):
        _refuse_unusable(server.metrics_host, port, "METRICS")
    return ports


def _refuse_unusable(host: str, port: int, face: Face = "GRPC") -> None:
    """Reject a port that others listen on: workers share ports, with each other as they are replaced."""
    if obstacle := find_obstacle(host, port):
        raise click.ClickException(obstacle.describe(host, port, face))


def _envoys(settings: Settings) -> list[ChildSpec]:
    grace = settings.server.shutdown_grace_ms / 1000
    first, workers = settings.embedded.admin_port, settings.server.workers
    if first + 2 * workers - 1 > LAST_PORT:
        raise click.ClickException(
            f"ADMIN_PORT and twice the WORKERS go beyond port {LAST_PORT}: lower one of them"
        )
    # Each of them reads from it how many share the port and the machine, and gets no option.
    os.environ["WORKERS"] = str(workers)
    max_bytes = _max_bytes(settings.embedded.max_rss_mb, workers)
    ready_within = settings.database.ready_timeout_ms / 1000
    delay = settings.server.drain_delay_ms / 1000
    admin_ports = ((port, port + workers) for port in range(first, first + workers))
    own = map(
        Resources,
        admin_ports,
        _stats_ports(settings),
        _metrics_ports(settings.server),
        connect_siblings(workers),
    )
    return [Envoy(each, grace, max_bytes, ready_within, delay) for each in own]


def _stats_ports(settings: Settings) -> Sequence[int]:
    """Return each worker's port for Envoy's statistics, or 0 if they are off."""
    first, workers = settings.embedded.stats_port, settings.server.workers
    if not first:
        return [0] * workers
    if first + workers - 1 > LAST_PORT:
        raise click.ClickException(
            f"STATS_PORT and WORKERS go beyond port {LAST_PORT}: lower one of them"
        )
    return range(first, first + workers)


def _max_bytes(max_rss_mb: int | None, workers: int) -> int:
    if max_rss_mb is not None:
        return max_rss_mb << 20
    return worker_bytes(workers, memory_limit())


def _supervise(settings: Settings, processes: list[ChildSpec]) -> None:
    try:
        with configure_logging(settings.server):
            asyncio.run(supervise(processes))
    except CannotStartError:
        # The worker has logged why.
        raise click.exceptions.Exit(1) from None
