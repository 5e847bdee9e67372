"""Runs the stand-in for Stream as a process of its own."""

import asyncio
import os
import signal

import click

from server.demo.stream_stand_in.running import serving
from server.demo.stream_stand_in.stand_in import StreamStandIn


@click.command(name="stream-stand-in")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Where to listen; 0 takes a free port."
)
@click.option("--key", default="stand-in-key", show_default=True, help="The API key that is accepted.")
@click.option(
    "--secret",
    default="stand-in-secret-of-32-characters",
    show_default=True,
    help="The API secret that tokens must be signed with.",
)
def stream_stand_in(port: int, key: str, secret: str) -> None:
    """Speak Stream's wire format on 127.0.0.1, for the demo's sample calls.

    Play with it by curl: PUT /stand-in/calls/TYPE/ID with {"state": …} or {"behaviour": …} changes
    that of a call, PUT /stand-in/behaviour with {"behaviour": …} that of all calls without one of
    their own; GET /stand-in/asked counts the questions.

    States: not_started, backstage, on_air, ended, on_air_again.

    Behaviours: well; slow, hang, drip, reset, cut, dropped, dropped_by_reset; 400, 401, 404,
    404_edge, redirect, 429, 500; broken_envelope, html, null, empty, truncated, iso_dates,
    unset_left_out, other_call, missing_fields, wrong_types; crowded, huge, huge_compressed,
    huge_number, deep.
    """
    stand_in = StreamStandIn(key, secret)
    stand_in.put_sample_calls()
    try:
        asyncio.run(_run(stand_in, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise click.ClickException(f"Cannot listen on port {port}: {reason}.") from error


async def _run(stand_in: StreamStandIn, port: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serving(stand_in, port) as url:
        click.echo(f"Stream stand-in listens on {url}")
        await stopped.wait()
