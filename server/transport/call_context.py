"""What a handler knows of a call beside its request, whichever server carries it."""

import re
from collections.abc import Mapping
from typing import Protocol
from uuid import uuid4

REQUEST_ID_KEY = "x-request-id"

_USABLE_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class CallContext(Protocol):
    """A call under way. A handler fails by raising; it never sets a status."""

    @property
    def metadata(self) -> Mapping[str, str | bytes]:
        """The caller's metadata, keys in lower case."""
        ...

    @property
    def request_id(self) -> str:
        """The id that all log lines of the call carry."""
        ...

    def time_left(self) -> float:
        """Tell for how many seconds the caller still waits; infinite without a deadline."""
        ...


def request_id_of(metadata: Mapping[str, str | bytes]) -> str:
    """Take the caller's request id where it is printable and short, else make one."""
    given = metadata.get(REQUEST_ID_KEY, "")
    if isinstance(given, str) and _USABLE_REQUEST_ID.fullmatch(given):
        return given
    return str(uuid4())
