"""How the server logs: one line an event on standard error, with the request's id."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from pydantic_core import PydanticSerializationError, to_json

from server.config.server import ServerSettings
from server.runtime import tracing
from server.runtime.log_handler import BackgroundHandler

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being served; tasks it starts inherit it."""

_TEXT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
# Libraries that would log every request to Stream, with its URL and key.
_QUIET = ("httpx", "httpcore", "getstream")
# It logs a header that is not UTF-8 with its value, which may be a token.
_INDISCREET = "grpc._cython.cygrpc"


@contextmanager
def configure_logging(settings: ServerSettings) -> Iterator[None]:
    """Send all log lines to standard error while the block lasts, in the configured format."""
    _gather_only_what_is_shown()
    handler = BackgroundHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.setFormatter(_TextFormatter(_TEXT) if settings.log_format == "text" else _JsonFormatter())
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_INDISCREET).addFilter(_shows_no_header)
    try:
        yield
    finally:
        handler.close()


def _gather_only_what_is_shown() -> None:
    """Skip what logging would find out for every line, as its manual advises (Optimization)."""
    logging._srcfile = None  # noqa: SLF001 - as in the manual
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _add_request_id(record: logging.LogRecord) -> bool:
    current = request_id.get()
    if current is not None:
        record.request_id = current
    if (span := tracing.current()) is not None:
        record.trace_id = span.trace_id
    return True


def _shows_no_header(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Invalid encoding")


_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _KNOWN}


class _JsonFormatter(logging.Formatter):
    """A JSON object a line, in a twentieth of the time that python-json-logger takes."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(record),
            "time": datetime.fromtimestamp(record.created, UTC),
        }
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        try:
            return to_json(line, fallback=str).decode()
        except PydanticSerializationError:
            # Half of a character that JSON writes in two, as in the name of a key.
            return json.dumps({**line, "time": f"{line['time']:%Y-%m-%dT%H:%M:%S.%fZ}"}, default=str)


class _TextFormatter(logging.Formatter):
    """For people: the message, then what else the line carries."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - named by logging
        extras = (f" {key}={_on_one_line(value)}" for key, value in _extras(record).items())
        return super().formatMessage(record) + "".join(extras)


def _on_one_line(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else text.encode("unicode_escape").decode()
