"""What a handler knows of a call besides its request, whichever server carries it."""

import re
from collections.abc import Sequence
from random import getrandbits
from typing import Protocol

REQUEST_ID_KEY = "x-request-id"

_USABLE_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class CallContext(Protocol):
    """A call under way. A handler fails by raising; it never sets a status."""

    client: str | None
    """The caller's client for the log, once it is known."""

    def values(self, key: str) -> Sequence[str | bytes]:
        """Return the values of a key, which is in lower case, in the caller's metadata."""
        ...

    @property
    def request_id(self) -> str:
        """The id that all log lines of the call carry."""
        ...

    def time_left(self) -> float:
        """Return the seconds until the deadline; infinite without one."""
        ...


def request_id_of(given: Sequence[str | bytes]) -> str:
    """Return the caller's last request id if it is printable and short, else make one."""
    last = given[-1] if given else ""
    if isinstance(last, str) and _USABLE_REQUEST_ID.fullmatch(last):
        return last
    return _random_uuid()


def _random_uuid() -> str:
    """Make a UUID of version 4 in a third of uuid4()'s time; it names a request, and is no secret."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
