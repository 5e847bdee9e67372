"""Decides whether a token may be introspected, from how earlier requests ended."""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus

from server.auth.issuer_errors import IssuerError
from server.resilience.breaker import Breaker
from server.runtime.sparing_log import SparingLog

FAILURES = 5
"""Requests that must fail in a row before the breaker opens."""
OPEN_SECONDS = 2.0
"""How long it stays open, before one request probes the issuer."""
PAUSE_SECONDS = 5.0
"""How long nothing is requested after a 429 without a Retry-After."""
MIN_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0

_OF_UNREADABLE_TOKENS = frozenset({HTTPStatus.BAD_REQUEST})
# By its 403 a firewall before the issuer may mean a token that looks like an attack.
_OF_JUNK = _OF_UNREADABLE_TOKENS | {
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}

log = logging.getLogger("server.auth")


class IntrospectionGate:
    """A breaker for tokens that were good before, another for all others, and silence after a 429.

    Junk that makes an issuer fail closes the way to other unknown tokens for a while, but to none that
    is to be renewed. After a 429 these go first as well: others are kept back twice as long.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._log = SparingLog(log, clock)
        self._breakers = {known: Breaker(FAILURES, OPEN_SECONDS, clock) for known in (True, False)}
        self._silent_until = {True: -math.inf, False: -math.inf}

    def permits(self, *, known: bool) -> bool:
        """Return whether a token that was good before, or another, may be introspected now."""
        return self._clock() >= self._silent_until[known] and self._breakers[known].permits()

    def record_start(self, *, known: bool) -> None:
        """Note a request under way; exactly one of the methods below ends it."""
        self._breakers[known].record_start()

    def record_response(self, *, known: bool) -> None:
        """Note a response, whatever it is: the issuer is healthy."""
        if self._breakers[known].is_open:
            log.info("tokens can be introspected again")
        self._breakers[known].record_success()

    def record_failure(self, error: IssuerError, *, known: bool) -> None:
        """Note a failure, loudly."""
        self._log.write(logging.ERROR, _message(error), reason=error.reason)
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._breakers[known].release()
            self._pause(PAUSE_SECONDS if error.retry_after is None else error.retry_after)
        elif error.status in (_OF_UNREADABLE_TOKENS if known else _OF_JUNK):
            # It may be the token that is at fault, and not the issuer.
            self._breakers[known].release()
        else:
            self._breakers[known].record_failure()

    def _pause(self, seconds: float) -> None:
        seconds = min(max(seconds, MIN_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
        for known, factor in ((True, 1), (False, 2)):
            until = self._clock() + seconds * factor
            self._silent_until[known] = max(self._silent_until[known], until)


def _message(error: IssuerError) -> str:
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "introspection refuses the server's own credentials"
    return "tokens cannot be introspected"
