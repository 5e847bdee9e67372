"""`python -m server import`: stores the calls of a file."""

import os
import stat
import sys
from collections.abc import Iterator
from time import monotonic
from typing import BinaryIO, NoReturn, Self

import click
from tqdm import tqdm

from server.application.call import Call
from server.commands.errors import load_database_url, pluralize, report_errors
from server.store.bulk import store_calls
from server.store.json_lines import Line, read_lines

MAX_REPORTED = 100


@click.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--keep-going",
    is_flag=True,
    help="Store the valid lines even if others are not; the exit code is still 1.",
)
def import_calls(file: BinaryIO, keep_going: bool) -> None:  # noqa: FBT001 - named by click
    """Insert calls, or update them by id, from a FILE of JSON Lines; - is standard input.

    A line is a call in the documented shape, as `export` writes it: every key is required, `live`
    is ignored. created_at and updated_at are stored as they are given. If an id occurs in
    several lines, the last one counts.

    Bad lines are reported by number, field and reason. If there are any, or the database
    refuses, nothing is stored.
    """
    began = monotonic()
    url = load_database_url()
    with report_errors(), _Import(file, keep_going=keep_going) as reading:
        stored = store_calls(url, reading.calls())
    click.echo(
        f"imported {pluralize(stored.total, 'call')} ({stored.new} new, {stored.changed} changed, "
        f"{stored.unchanged} unchanged) in {monotonic() - began:.1f} s"
    )
    if reading.refused:
        raise click.ClickException(f"{pluralize(reading.refused, 'line')} refused")


class _Import:
    """A file that is being read: its calls, and how many lines were rejected."""

    def __init__(self, file: BinaryIO, *, keep_going: bool) -> None:
        self.refused = 0
        self._file = file
        self._keep_going = keep_going
        self._size = _size(file)
        self._bar: tqdm[NoReturn] = tqdm(
            desc="reading",
            total=self._size,
            unit=" lines" if self._size is None else "B",
            unit_scale=True,
            leave=False,
            disable=None,  # except on a terminal
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def calls(self) -> Iterator[Call]:
        """Read the calls to store; raises click.ClickException at the end if none may be stored."""
        for line in read_lines(self._file):
            self._bar.update(1 if self._size is None else self._file.tell() - self._bar.n)
            if line.call is None:
                self._refuse(line)
            else:
                yield line.call
        if self.refused > MAX_REPORTED:
            self._print(f"and {pluralize(self.refused - MAX_REPORTED, 'more bad line')}")
        if self.refused and not self._keep_going:
            raise click.ClickException(
                f"nothing is stored, for {pluralize(self.refused, 'line')} cannot be: "
                "put them right, or store the others with --keep-going"
            )
        self._bar.set_description("storing")

    def _refuse(self, line: Line) -> None:
        self.refused += 1
        if self.refused <= MAX_REPORTED:
            self._print(f"line {line.number}: {line.problem}")

    def _print(self, text: str) -> None:
        self._bar.write(text, file=sys.stderr)


def _size(file: BinaryIO) -> int | None:
    """Return the size of a file in bytes, or None if it is a pipe or the like."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
