"""`python -m server serve`: answers gRPC until told to end."""

import asyncio
import gc
import logging
import signal
from contextlib import AbstractContextManager, nullcontext

import click
import uvloop

from server.auth.errors import AuthNotConfiguredError
from server.bootstrap import serving
from server.commands.settings import load_settings
from server.config import Settings, TlsSettings
from server.logs import logging_configured
from server.store.engine import DatabaseUrlError
from server.transport.aio_server import AddressTakenError, ServerFailedError
from server.transport.tls.certificates import CertificateFilesError
from server.transport.tls.core_log import core_lines_logged

_ALLOCATIONS_UNTIL_COLLECTED = 20_000


@click.command
def serve() -> None:
    """Answer gRPC until SIGTERM or Ctrl-C."""
    settings = load_settings()
    try:
        with _refusals_logged(settings.tls), logging_configured(settings.server):
            uvloop.run(_serve(settings))
    except AddressTakenError as error:
        raise click.ClickException(f"Cannot listen on {error}: name another with GRPC_PORT=") from None
    except (AuthNotConfiguredError, CertificateFilesError, DatabaseUrlError, ServerFailedError) as error:
        raise click.ClickException(str(error)) from None


def _refusals_logged(settings: TlsSettings) -> AbstractContextManager[None]:
    return nullcontext() if settings.mode == "off" else core_lines_logged()


def _spare_the_collector_of_garbage() -> None:
    """Let it look at what requests make, not each time at all that was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_UNTIL_COLLECTED, 20, 50)


async def _serve(settings: Settings) -> None:
    told_to_end = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    async with serving(settings) as server:
        _spare_the_collector_of_garbage()
        endings = [asyncio.create_task(end) for end in (told_to_end.wait(), server.failed())]
        (ended, *_), others = await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        await ended
        logging.getLogger("server").info("ending")
