"""`python -m server export`: writes all calls."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import BinaryIO

import click

from machine.standard_output import discard_unwritten
from server.commands.errors import load_database_url, pluralize, report_errors
from server.store.bulk import all_calls
from server.store.json_lines import write_line


@click.command(name="export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default="-")
def export_calls(file: Path) -> None:
    """Write all calls, by id and from one snapshot, to FILE as JSON Lines; - is standard output.

    A line is a call in the documented shape without `live`, which is not stored. `import` reads
    it. FILE is created, or replaced, once all of it is written.
    """
    began = monotonic()
    url = load_database_url()
    number = 0
    with report_errors(), _output(file) as output:
        for call in all_calls(url):
            output.write(write_line(call))
            number += 1
    click.echo(f"exported {pluralize(number, 'call')} in {monotonic() - began:.1f} s", err=True)


@contextmanager
def _output(file: Path) -> Iterator[BinaryIO]:
    try:
        if file == Path("-"):
            output = sys.stdout.buffer
            yield output
            output.flush()
        elif file.exists() and not file.is_file():
            # A device or a pipe is written to: it must not be replaced by a file.
            with file.open("wb") as output:
                yield output
        else:
            with _replace(file.resolve()) as output:
                yield output
    except BrokenPipeError:
        raise  # click ends silently
    except OSError as error:
        if file == Path("-"):
            discard_unwritten()
        raise click.ClickException(f"Cannot write {file}: {error.strerror}") from None


@contextmanager
def _replace(file: Path) -> Iterator[BinaryIO]:
    """Write to a file next to it, and rename that once it is complete."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with new.open("xb") as output:
            if file.exists():
                shutil.copymode(file, new)
            yield output
            output.flush()
            os.fsync(output.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
