"""Runs what the demo plays, such as Stream, as a process of its own."""

import asyncio
import os
import signal

import click
from aiohttp import web

from demo.serving import serve

port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where to listen; 0 takes a free port."
)


def play(name: str, application: web.Application, port: int) -> None:
    """Serve on 127.0.0.1 until SIGTERM or Ctrl-C, and print the URL.

    Raises click.ClickException if the port is taken.
    """
    try:
        asyncio.run(_run(name, application, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"Cannot listen on port {port}: {reason}.") from error


async def _run(name: str, application: web.Application, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve(application, port) as url:
        click.echo(f"{name} listens on {url}")
        await stopped.wait()
