"""The demo's command line: `python -m demo --help`."""

from machine.beginning import begin

begin(serves=False)

import click

from server.runtime.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "run": LazyCommand(
        "demo.commands.run", "run", "Run everything on this machine, as `make run` does."
    ),
    "token": LazyCommand("demo.commands.token", "token", "Print an access token that the demo accepts."),
    "issuer": LazyCommand("demo.commands.issuer", "issuer", "Serve introspection of opaque tokens."),
    "stream-stand-in": LazyCommand(
        "demo.commands.stream_stand_in", "stream_stand_in", "Serve a stand-in for Stream's API."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
@click.version_option(package_name="livecalls", message="LiveCalls %(version)s")
def cli() -> None:
    """LiveCalls and all that it depends on, on one machine.

    Settings come from the environment, those of the server and those of the gateway.
    """


if __name__ == "__main__":
    cli(prog_name="python -m demo")
