"""How a call is printed: as a table that is redrawn, or as a line of JSON if it has changed."""

import click

from client.polling import Snapshot
from client.table import sanitize, table


class Screen:
    """Prints a call for a person."""

    def once(self, text: str) -> None:
        """Print it once."""
        click.echo(table(text).encode())

    def follow(self, snapshot: Snapshot) -> None:
        """Print it in place of what was printed before."""
        click.clear()
        self.once(snapshot.text)
        click.echo(f"\n{_footer(snapshot)} Ctrl-C ends this.")


class Lines:
    """Prints the documented JSON, a line for a call."""

    def __init__(self, *, to_people: bool) -> None:
        """With `to_people`, escape what a terminal would obey."""
        self._to_people = to_people
        self._printed = ""
        self._away = False

    def once(self, text: str) -> None:
        """Print it once."""
        click.echo((sanitize(text) if self._to_people else text).encode())

    def follow(self, snapshot: Snapshot) -> None:
        """Print it if it has changed, and the begin and end of outages to standard error."""
        away = snapshot.outage is not None
        if away != self._away:
            self._away = away
            click.echo(_footer(snapshot), err=True)
        if snapshot.text != self._printed:
            self._printed = snapshot.text
            self.once(snapshot.text)


def _footer(snapshot: Snapshot) -> str:
    seen_at = f"{snapshot.seen_at:%Y-%m-%d %H:%M:%S} UTC"
    if snapshot.outage is None:
        return f"Answered at {seen_at}."
    words = sanitize(snapshot.outage).removesuffix(".")
    return f"NO ANSWER since {seen_at}: {words}. Asking again."
