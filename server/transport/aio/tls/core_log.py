"""What gRPC's core writes to standard error: read, and logged as lines of the server.

The core reports in no other way which clients it rejected, and not in a form for operators.
"""

import faulthandler
import logging
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from threading import Thread
from time import monotonic

from server.transport.aio.tls.refusals import reason_of

QUIET_SECONDS = 60
MAX_KINDS = 100
_STDERR = 2
# A process started meanwhile may hold the pipe open: it is not waited for.
_LAST_WORDS_SECONDS = 1
_LINE = re.compile(r"(?P<level>[IWEF])\d{4} \S+ +\d+ (?P<source>\S+:\d+)\] (?P<message>.*)")
_LEVELS = {"I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR, "F": logging.CRITICAL}
_HANDSHAKE_FAILED = "Handshake failed with error "

log = logging.getLogger("grpc.core")
tls_log = logging.getLogger("server.tls")


@contextmanager
def log_core_lines() -> Iterator[None]:
    """Log what the core writes while the block lasts; logging must be configured inside it.

    Other output to the file descriptor is passed on, and Python's own standard error stays.
    """
    terminal = os.dup(_STDERR)
    with (
        open(terminal, "w", buffering=1, errors="backslashreplace") as stderr,  # noqa: PTH123 - no path
        redirect_stderr(stderr),
    ):
        # The last lines of a core that crashes are lost in the pipe; its traceback is not.
        faulthandler.enable(stderr)
        reader = Thread(target=_log_lines, args=(_pipe_for_stderr(),), name="core-log", daemon=True)
        reader.start()
        try:
            yield
        finally:
            faulthandler.disable()
            os.dup2(terminal, _STDERR)
            reader.join(_LAST_WORDS_SECONDS)


def _pipe_for_stderr() -> int:
    """Replace standard error by a pipe, and return the descriptor to read from."""
    reading, writing = os.pipe()
    # If the pipe is full, a line is lost: no thread of the core may wait for ours.
    os.set_blocking(writing, False)
    os.dup2(writing, _STDERR)
    os.close(writing)
    return reading


def _log_lines(reading: int) -> None:
    core_log = CoreLog()
    with open(reading, errors="backslashreplace") as lines:
        for line in lines:
            core_log.log(line.rstrip("\n"))


class CoreLog:
    """Logs the core's lines: each kind at once, and then once a minute, with how many they were."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._logged_at: dict[str, float] = {}
        self._times: Counter[str] = Counter()

    def log(self, line: str) -> None:
        """Log a line of the core as ours; pass on any other."""
        match = _LINE.fullmatch(line)
        if match is None:
            sys.stderr.write(f"{line}\n")
        elif match["message"].startswith(_HANDSHAKE_FAILED):
            self._log_refusal(match["message"].removeprefix(_HANDSHAKE_FAILED))
        elif times := self._count_unlogged(match["source"]):
            extra = {"source": match["source"], "times": times}
            log.log(_LEVELS[match["level"]], match["message"], extra=extra)

    def _log_refusal(self, detail: str) -> None:
        reason = reason_of(detail)
        if times := self._count_unlogged(reason):
            extra = {"reason": reason, "times": times, "detail": detail}
            tls_log.warning("a client was refused", extra=extra)

    def _count_unlogged(self, kind: str) -> int:
        """Return how many of a kind there were since the last that was logged; 0 if that is recent."""
        if kind not in self._logged_at and len(self._logged_at) >= MAX_KINDS:
            kind = "others"
        self._times[kind] += 1
        now = self._clock()
        if now - self._logged_at.get(kind, -math.inf) < QUIET_SECONDS:
            return 0
        self._logged_at[kind] = now
        return self._times.pop(kind)
