"""The server's command line: `python -m server --help`."""

import sys

from machine.beginning import begin

begin(serves=sys.argv[1:2] == ["serve"])

import click

from server.runtime.lazy_group import LazyCommand, LazyGroup

_COMMANDS = {
    "serve": LazyCommand("server.commands.serve", "serve", "Serve gRPC until SIGTERM or Ctrl-C."),
    "health": LazyCommand("server.commands.health", "health", "Ask whether the server serves."),
    "check": LazyCommand("server.commands.check", "check", "Check what serve needs."),
    "migrate": LazyCommand("server.commands.migrate", "migrate", "Migrate the database's schema."),
    "import": LazyCommand(
        "server.commands.import_calls", "import_calls", "Insert or update calls from JSON Lines."
    ),
    "export": LazyCommand(
        "server.commands.export_calls", "export_calls", "Write all calls as JSON Lines."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
@click.version_option(package_name="livecalls", message="LiveCalls %(version)s")
def cli() -> None:
    """LiveCalls: the state of a live call, by gRPC.

    Settings come from the environment; docs/configuration.md lists them.
    """


if __name__ == "__main__":
    cli(prog_name="python -m server")
