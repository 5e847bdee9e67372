"""The server's command line: `python -m server --help`."""

import sys

from machine.beginning import begin

begin(serves=sys.argv[1:2] == ["serve"])

from importlib import import_module
from typing import NamedTuple

import click


class _Command(NamedTuple):
    """Where a command stands, and what it does in a few words."""

    module: str
    name: str
    words: str


_COMMANDS = {
    "serve": _Command("serve", "serve", "Answer gRPC until SIGTERM or Ctrl-C."),
    "check": _Command("check", "check", "Say whether all that serve needs is well."),
    "migrate": _Command("migrate", "migrate", "Bring the database's schema up to date."),
    "import": _Command("import_calls", "import_calls", "Store calls from JSON Lines."),
    "export": _Command("export_calls", "export_calls", "Write all calls as JSON Lines."),
    "demo": _Command("demo", "demo", "Run everything on this machine, as `make run` does."),
    "token": _Command("token", "token", "Print an access token that the demo accepts."),
    "issuer": _Command("issuer", "issuer", "Answer whether opaque tokens are good, for the demo."),
    "stream-stand-in": _Command("stream_stand_in", "stream_stand_in", "Play Stream, for the demo."),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is used: some take a second to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - named by click
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"server.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.words) for name, command in _COMMANDS.items()])


@click.group(cls=_LazyGroup)
@click.version_option(package_name="livecalls", message="LiveCalls %(version)s")
def cli() -> None:
    """LiveCalls: the state of a live call, by gRPC.

    Settings come from the environment; the README lists them.
    """


if __name__ == "__main__":
    cli(prog_name="python -m server")
