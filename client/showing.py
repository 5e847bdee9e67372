"""How a call is printed: as a table that is redrawn, or as a line of JSON if it has changed."""

import click

from client.table import shown, table
from client.watching import Sight


class Screen:
    """Prints a call for a person."""

    def once(self, text: str) -> None:
        """Print it once."""
        click.echo(table(text).encode())

    def follow(self, sight: Sight) -> None:
        """Print it in place of what was printed before."""
        click.clear()
        self.once(sight.text)
        click.echo(f"\n{_footer(sight)} Ctrl-C ends this.")


class Lines:
    """Prints the documented JSON, a line for a call."""

    def __init__(self, *, to_people: bool) -> None:
        """With `to_people`, escape what a terminal would obey."""
        self._to_people = to_people
        self._printed = ""
        self._away = False

    def once(self, text: str) -> None:
        """Print it once."""
        click.echo((shown(text) if self._to_people else text).encode())

    def follow(self, sight: Sight) -> None:
        """Print it if it has changed, and the begin and end of outages to standard error."""
        away = sight.outage is not None
        if away != self._away:
            self._away = away
            click.echo(_footer(sight), err=True)
        if sight.text != self._printed:
            self._printed = sight.text
            self.once(sight.text)


def _footer(sight: Sight) -> str:
    seen_at = f"{sight.seen_at:%Y-%m-%d %H:%M:%S} UTC"
    if sight.outage is None:
        return f"Answered at {seen_at}."
    words = shown(sight.outage).removesuffix(".")
    return f"NO ANSWER since {seen_at}: {words}. Asking again."
