"""How the server logs: one line an event on standard error, with the request's id."""

import logging
import sys
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from server.config import ServerSettings

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered; tasks it starts inherit it."""

_TEXT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_JSON = "%(levelname)s %(name)s %(message)s"
_JSON_NAMES = {"levelname": "level", "name": "logger"}
# Libraries that would log every question to Stream, with its address and key.
_QUIET = ("httpx", "httpcore", "getstream")
# It logs a header that is not UTF-8 with its value, which may be a token.
_INDISCREET = "grpc._cython.cygrpc"


def configure_logging(settings: ServerSettings) -> None:
    """Send all log lines to standard error, in the format the settings name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.setFormatter(_formatter(settings.log_format))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_INDISCREET).addFilter(_shows_no_header)


def _add_request_id(record: logging.LogRecord) -> bool:
    current = request_id.get()
    if current is not None:
        record.request_id = current
    return True


def _shows_no_header(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Invalid encoding")


def _formatter(name: str) -> logging.Formatter:
    if name == "text":
        return _TextFormatter(_TEXT)
    return JsonFormatter(_JSON, rename_fields=_JSON_NAMES, timestamp="time")


class _TextFormatter(logging.Formatter):
    """For people: the message, then what else the line carries."""

    _known = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - named by logging
        extras = (f" {key}={value}" for key, value in vars(record).items() if key not in self._known)
        return super().formatMessage(record) + "".join(extras)
