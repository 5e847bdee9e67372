"""Prints for people what the supervisor logs of parts that are restarted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from server.supervision import child

_LINES = {
    child.EXITED: "The {part} ended ({exit_code}); starting it again",
    child.CANNOT_START_YET: "A part cannot be started: {reason}; trying again",
}


@contextmanager
def restarts_printed() -> Iterator[None]:
    """Print a line for each restart while the block lasts, and nothing else of the supervisor's log."""
    printing = _Printing()
    child.log.addHandler(printing)
    try:
        yield
    finally:
        child.log.removeHandler(printing)


class _Printing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if line := _LINES.get(record.msg):
            print(line.format_map(vars(record)), flush=True)  # noqa: T201 - the demo speaks to people
