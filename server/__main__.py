"""The server's command line: `python -m server --help`."""

from importlib import import_module

import click

# Where each command stands. They are imported when used: some take a second to import.
_COMMANDS = {
    "serve": "server.commands.serve:serve",
    "check": "server.commands.check:check",
    "migrate": "server.commands.migrate:migrate",
    "import": "server.commands.import_calls:import_calls",
    "export": "server.commands.export_calls:export_calls",
    "demo": "server.commands.demo:demo",
    "stream-stand-in": "server.commands.stream_stand_in:stream_stand_in",
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - named by click
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"max_content_width": 100})
def cli() -> None:
    """LiveCalls: the state of a live call, by gRPC.

    Settings come from the environment; the README lists them.
    """


if __name__ == "__main__":
    cli(prog_name="python -m server")
