"""A command line whose commands are imported when they are used: some take a second to import."""

from importlib import import_module
from typing import Any, NamedTuple

import click

from machine.gc import collect_only_new


class LazyCommand(NamedTuple):
    """Where a command stands, and what it does in a few words."""

    module: str
    name: str
    words: str


class LazyGroup(click.Group):
    """A group of commands by their names on the command line."""

    def __init__(self, *, lazy: dict[str, LazyCommand], **options: Any) -> None:
        super().__init__(**options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - named by click
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._lazy:
            return None
        module, name, _ = self._lazy[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        collect_only_new()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.words) for name, command in self._lazy.items()])
