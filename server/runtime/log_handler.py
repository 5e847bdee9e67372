"""A log handler whose lines are written by a thread of its own, many at a time."""

import logging
from threading import Event, Thread
from time import sleep
from typing import TextIO

MAX_LINES_WAITING = 100_000
"""Lines that wait to be written at most, some 30 MB of them."""

_GATHER_SECONDS = 0.05
_END_SECONDS = 1.0


class BackgroundHandler(logging.Handler):
    """Takes a line in microseconds, and writes it shortly after: no request waits for the log's reader.

    If lines are not read as fast as they come, those beyond MAX_LINES_WAITING are lost, and a line
    reports how many they were.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._waiting: list[str] = []
        self._lost = 0
        self._closed = False
        self._some_wait = Event()
        self._thread = Thread(target=self._write_on, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)
            return
        if len(self._waiting) < MAX_LINES_WAITING:
            self._waiting.append(line)
        else:
            self._lost += 1
        if not self._some_wait.is_set():
            self._some_wait.set()

    def close(self) -> None:
        """Write what waits, unless that takes more than a second."""
        if not self._closed:
            self._closed = True
            self._some_wait.set()
            self._thread.join(_END_SECONDS)
        super().close()

    def _write_on(self) -> None:
        while not self._closed:
            self._some_wait.wait()
            if not self._closed:
                sleep(_GATHER_SECONDS)
            self._some_wait.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        lines, self._waiting = self._waiting, []
        lost, self._lost = self._lost, 0
        said = [f"{lost} lines of the log were lost: they were not taken in time."] if lost else []
        if not lines and not said:
            return
        try:
            self._stream.write("\n".join([*lines, *said, ""]))
            self._stream.flush()
        except OSError:
            # A full disk, or no reader: there may be room again later.
            self._lost += lost + len(lines)
