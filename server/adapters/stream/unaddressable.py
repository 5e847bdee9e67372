"""Logs the calls whose type and id Stream cannot have, each once."""

import logging
from collections import OrderedDict

log = logging.getLogger("server.stream")

MAX_REMEMBERED = 1000
_MAX_SHOWN = 80
"""Characters of a type and of an id that are logged; nothing bounds those of a row."""


class UnaddressableCalls:
    """Remembers which calls were logged: the most recent, by their hashes alone."""

    def __init__(self) -> None:
        self._logged: OrderedDict[int, None] = OrderedDict()

    def note(self, call_type: str, call_id: str) -> None:
        """Log the call, unless it was logged before."""
        key = hash((call_type, call_id))
        if key not in self._logged:
            about = {
                "stream_call_type": call_type[:_MAX_SHOWN],
                "stream_call_id": call_id[:_MAX_SHOWN],
                "reason": "its type and id cannot be those of a call",
            }
            log.warning("a call cannot be requested from stream", extra=about)
        self._logged[key] = None
        self._logged.move_to_end(key)
        if len(self._logged) > MAX_REMEMBERED:
            self._logged.popitem(last=False)
