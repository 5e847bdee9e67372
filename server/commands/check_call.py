"""Asks Stream for one call both ways, and finds out how soon each shows what becomes of it."""

import asyncio
from collections.abc import Callable

import click

from server.adapters.stream.errors import StreamError
from server.adapters.stream.ports import Stream
from server.adapters.stream.query_calls import is_queryable
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from server.commands.call_comparison import Comparison, Way
from server.commands.finding import Finding
from server.config.stream import StreamSettings

INTERVAL_SECONDS = 0.5
"""From one request of a way to the next, at least: 120 a minute, and the first 429 ends them."""


def read_call(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> StreamCall | None:
    """Read the option's value; raises click.BadParameter if both ways cannot ask for such a call."""
    if value is None:
        return None
    call_type, _, call_id = value.partition(":")
    if not is_queryable((call_type, call_id)):
        raise click.BadParameter(
            "must be TYPE:ID, such as livestream:room-1, both of 1 to 64 letters, digits, - and _: "
            "for other calls QueryCalls is never used."
        )
    return call_type, call_id


def check_call(settings: StreamSettings, call: StreamCall, seconds: float) -> Finding:
    """Ask both ways for so many seconds, and print what each shows as it changes.

    If they differ then, it takes up to as long again until they agree.
    """
    return asyncio.run(_compare(settings, call, seconds))


async def _compare(settings: StreamSettings, call: StreamCall, seconds: float) -> Finding:
    # The SDK takes a second to import: only if it is used.
    from server.adapters.stream.client import StreamClient  # noqa: PLC0415

    client = StreamClient(settings)
    try:
        comparison = await compare(client, call, seconds, click.echo)
    finally:
        await client.aclose()
    return comparison.find(settings.cache_ttl_ms / 1000)


async def compare(
    stream: Stream, call: StreamCall, seconds: float, report: Callable[[str], None]
) -> Comparison:
    """Ask both ways again and again; report a line for each change, and one about all requests."""
    clock = asyncio.get_running_loop().time
    comparison = Comparison(
        Way("GetCall", lambda: stream.fetch(*call)), Way("QueryCalls", lambda: _query(stream, call))
    )
    began = clock()
    while True:
        at = round(clock() - began, 1)
        for line in await comparison.ask(at):
            report(line)
        if comparison.is_over(seconds):
            break
        await asyncio.sleep(max(0.0, began + at + INTERVAL_SECONDS - clock()))
    report(comparison.describe_requests())
    return comparison


async def _query(stream: Stream, call: StreamCall) -> LiveStatus:
    status = (await stream.fetch_many([call]))[call]
    if isinstance(status, StreamError):
        raise status
    return status
