"""The command line for callers: `python -m client --help`, or `livecalls --help`."""

from machine.beginning import begin

begin(serves=False)

import click

from client.get import get
from machine.gc import collect_only_new


@click.group
@click.version_option(package_name="livecalls", message="LiveCalls %(version)s")
def cli() -> None:
    """LiveCalls: the state of a live call, from a running service.

    Settings come from the environment; docs/configuration.md lists them.
    """
    collect_only_new()


cli.add_command(get)

if __name__ == "__main__":
    cli(prog_name="python -m client")
