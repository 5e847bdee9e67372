"""Runs the stand-in for Stream as a process of its own."""

import click

from demo.playing import play, port_option
from demo.stream_stand_in.application import web_application
from demo.stream_stand_in.stand_in import StreamStandIn


@click.command(name="stream-stand-in")
@port_option
@click.option("--key", default="stand-in-key", show_default=True, help="The API key that is accepted.")
@click.option(
    "--secret",
    default="stand-in-secret-of-32-characters",
    show_default=True,
    help="The API secret that tokens must be signed with.",
)
def stream_stand_in(port: int, key: str, secret: str) -> None:
    """Speak Stream's wire format on 127.0.0.1, for the demo's sample calls: GetCall and QueryCalls.

    Control it by curl: PUT /stand-in/calls/TYPE/ID with {"state": …} or {"behaviour": …} changes
    that of a call, PUT /stand-in/behaviour with {"behaviour": …} that of all calls without one of
    their own; GET /stand-in/requests counts GetCall's requests, and GET /stand-in/queries lists the
    cids of each of QueryCalls'.

    PUT /stand-in/delays with {"latency_seconds": …} holds every response back for so long, and with
    {"lag_seconds": …} has QueryCalls show the states of so long ago, while GetCall's are current.

    States: not_started, backstage, on_air, ended, on_air_again.

    Behaviours: well; slow, hang, drip, reset, cut, dropped, dropped_by_reset; 400, 401, 404,
    404_edge, redirect, 429, 500; broken_envelope, html, null, empty, truncated; huge,
    huge_compressed, huge_number, deep; of single calls iso_dates, unset_left_out, other_call,
    missing_fields, wrong_types, crowded. In a response of QueryCalls those of single calls spoil
    the items of these calls alone, and 404 leaves them out. Any other spoils the whole response, if
    one of the calls asked for has it.
    """
    stand_in = StreamStandIn(key, secret)
    stand_in.put_sample_calls()
    play("Stream stand-in", web_application(stand_in), port)
