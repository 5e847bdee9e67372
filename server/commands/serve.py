"""`python -m server serve`: answers gRPC until told to end, by one process or several."""

import asyncio

import click

from server.commands.settings import load_settings
from server.config import Settings
from server.logs import logging_configured
from server.workers import CannotStartError, keep_workers


@click.command
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Processes that answer, on GRPC_PORT and the ports behind it; WORKERS where it is not given.",
)
@click.option("--announce", is_flag=True, hidden=True)  # for whoever keeps a worker
def serve(*, workers: int | None, announce: bool) -> None:
    """Answer gRPC until SIGTERM or Ctrl-C.

    Several workers are kept by this process: one that ends is started again.
    """
    settings = load_settings(**({} if workers is None else {"workers": workers}))
    if settings.server.workers == 1:
        # All that answering needs, which a process that only watches over workers does without.
        from server.commands.worker import answer  # noqa: PLC0415

        answer(settings, announce=announce)
    else:
        _keep_workers(settings)


def _keep_workers(settings: Settings) -> None:
    grace = settings.server.shutdown_grace_ms / 1000
    try:
        with logging_configured(settings.server):
            asyncio.run(keep_workers(settings.server.grpc_ports, grace))
    except CannotStartError:
        # The worker has said why.
        raise click.exceptions.Exit(1) from None
