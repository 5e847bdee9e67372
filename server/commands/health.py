"""`python -m server health`: whether the server serves, for probes that run a command."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from machine.addresses import host_and_port, reachable
from server.config.loading import load_settings
from server.config.settings import Settings
from server.config.tls import TlsSettings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command
@click.option(
    "--address",
    metavar="HOST:PORT",
    help="Where to ask; else GRPC_HOST and GRPC_PORT, and so each of WORKERS.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, 3600, min_open=True),
    default=2.0,
    show_default=True,
    help="Seconds to wait for the response.",
)
@click.option(
    "--server-certificate",
    type=_FILE,
    help="The certificate presented there, in PEM, for TLS; else GRPC_TLS_CERTIFICATE_FILE.",
)
@click.option(
    "--tls-certificate", type=_FILE, help="Shown if a certificate is asked for; else the server's own."
)
@click.option("--tls-key", type=_FILE, help="Its key.")
def health(
    *,
    address: str | None,
    timeout: float,
    server_certificate: Path | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
) -> None:
    """Ask whether the server serves, by gRPC's health service.

    Prints SERVING and exits with 0 if it does; of several workers one is enough. Else the exit code is
    1, and a line on standard error has the reason. No token is needed.

    Embedded in Envoy, health is on the gateway's port: --address 127.0.0.1:8080.
    """
    if (tls_certificate is None) != (tls_key is None):
        raise click.UsageError("--tls-certificate and --tls-key go together: give both or neither")
    settings = load_settings()
    addresses = [address] if address else _addresses(settings)
    shown = (tls_certificate, tls_key) if tls_certificate else _own_pair(settings.tls)
    _probe(addresses, server_certificate or settings.tls.certificate_file, shown, timeout)
    click.echo("SERVING")


def _probe(
    addresses: Sequence[str],
    server_certificate: Path | None,
    shown: tuple[Path | None, Path | None],
    seconds: float,
) -> None:
    # gRPC's core reads it as it is imported: it would log what the one line has.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from server.transport.health_probe import NotServingError, ProbeTls, probe  # noqa: PLC0415

    try:
        tls = None
        if server_certificate:
            certificate, key = (file.read_bytes() if file else None for file in shown)
            tls = ProbeTls(server_certificate.read_bytes(), key, certificate)
        probe(addresses, tls, seconds)
    except (NotServingError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _addresses(settings: Settings) -> list[str]:
    if settings.embedded.embedded:
        raise click.UsageError("Embedded, health is on the gateway's port: give it by --address")
    host = reachable(settings.server.grpc_host)
    return [host_and_port(host, port) for port in settings.server.grpc_ports]


def _own_pair(settings: TlsSettings) -> tuple[Path | None, Path | None]:
    if settings.mode == "mutual":
        return settings.certificate_file, settings.key_file
    return None, None
