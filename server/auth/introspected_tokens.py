"""Verifies access tokens by introspection at their issuer, as rarely as the cache allows."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context

from server.auth.errors import IntrospectionUnavailableError, TokenRefusedError
from server.auth.introspection import Introspect
from server.auth.introspection_answer import Answer, Expected, read_grant
from server.auth.introspection_cache import GrantCache, RefusalCache
from server.auth.introspection_gate import IntrospectionGate
from server.auth.introspection_queue import IntrospectionQueue, Rank, Turn, TurnedAwayError
from server.auth.issuer_errors import IssuerError
from server.auth.metrics import INTROSPECTED, INTROSPECTION_FAILED, INTROSPECTION_REFUSED
from server.auth.tokens import Grant
from server.config.introspection import IntrospectionSettings
from server.runtime.tasks import wait_for_end

MAX_CALLERS = 1000
"""Callers that wait for introspections at once, beyond one for each token.

A slow issuer may not take all room for requests, nor callers with one token the room of all others.
"""

_Outcome = Grant | TokenRefusedError | None
"""What a token grants, or why it is refused, or None if it could not be introspected."""


class IntrospectedTokens:
    """Verifies tokens of which only their issuer knows what they grant.

    A response is used for the cache's time, counted from its request, and never past `exp`.
    Many callers with one token share one request, which belongs to none of them. A good token is
    introspected again a little before its time is over, so that its callers do not wait.
    """

    def __init__(
        self,
        introspect: Introspect,
        expected: Expected,
        settings: IntrospectionSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._introspect = introspect
        self._expected = expected
        self._clock = clock
        seconds = settings.cache_ttl_ms / 1000
        self._grants = GrantCache(seconds, clock)
        self._refusals = RefusalCache(seconds, clock)
        self._queue = IntrospectionQueue(
            settings.max_concurrent_requests, settings.max_new_per_second, settings.timeout_ms / 2000
        )
        self._gate = IntrospectionGate(clock)
        self._asking: dict[bytes, asyncio.Task[_Outcome]] = {}
        self._callers = 0

    def find_cached(self, token: str) -> Grant | None:
        """Return what a token grants that was introspected before, or None."""
        digest = _digest(token)
        entry = self._grants.find(digest)
        if entry is None:
            return None
        if entry.renew_at <= self._clock():
            self._renew(digest, token)
        return entry.grant

    async def verify(self, token: str) -> Grant:
        """Introspect a token that is not cached.

        Raises TokenRefusedError and IntrospectionUnavailableError.
        """
        digest = _digest(token)
        self._refusals.check(digest)
        if self._callers >= MAX_CALLERS and digest in self._asking:
            raise IntrospectionUnavailableError
        self._callers += 1
        try:
            outcome = await asyncio.shield(self._asking.get(digest) or self._ask(digest, token))
        finally:
            self._callers -= 1
        if outcome is None:
            raise IntrospectionUnavailableError
        if isinstance(outcome, TokenRefusedError):
            raise TokenRefusedError(outcome.check, **outcome.shown)  # each caller has a traceback
        return outcome

    async def aclose(self) -> None:
        """Cancel all requests."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await wait_for_end(asking, "introspections")

    def _renew(self, digest: bytes, token: str) -> None:
        """Introspect a token again, unless that is under way or not possible now."""
        if digest not in self._asking:
            with suppress(IntrospectionUnavailableError):
                self._ask(digest, token)

    def _ask(self, digest: bytes, token: str) -> asyncio.Task[_Outcome]:
        known = digest in self._grants
        if not self._gate.permits(known=known):
            raise IntrospectionUnavailableError
        try:
            turn = self._queue.enter(digest, known=known)
        except TurnedAwayError:
            raise IntrospectionUnavailableError from None
        # In a context of its own: its log lines belong to no caller's request either.
        task = asyncio.create_task(self._ask_in_turn(digest, token, turn), context=Context())
        self._asking[digest] = task
        task.add_done_callback(lambda _: self._asking.pop(digest))
        return task

    async def _ask_in_turn(self, digest: bytes, token: str, turn: Turn) -> _Outcome:
        known = turn.rank is Rank.KNOWN
        try:
            await turn.wait()
            if not self._gate.permits(known=known):  # it has closed meanwhile
                return None
            return await self._ask_now(digest, token, known=known)
        except TurnedAwayError:
            return None
        finally:
            turn.leave()

    async def _ask_now(self, digest: bytes, token: str, *, known: bool) -> _Outcome:
        asked_at = self._clock()
        self._gate.record_start(known=known)
        try:
            answer = await self._introspect(token)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, nobody is admitted by it
            self._gate.record_failure(_fault(error), known=known)
            self._grants.put_off_renewal(digest)
            INTROSPECTION_FAILED.value += 1
            return None
        self._gate.record_response(known=known)
        return self._learn(digest, answer, asked_at)

    def _learn(self, digest: bytes, answer: Answer, asked_at: float) -> Grant | TokenRefusedError:
        now = time.time()
        try:
            grant = read_grant(answer, self._expected, now)
        except TokenRefusedError as error:
            self._grants.forget(digest)
            self._refusals.remember(digest, error.check)
            INTROSPECTION_REFUSED.value += 1
            return error
        INTROSPECTED.value += 1
        self._grants.remember(digest, grant, asked_at, lasts=grant.expires - now)
        return grant


def _digest(token: str) -> bytes:
    """Return the cache's key of a token, which is small and of no use to a thief."""
    return hashlib.sha256(token.encode()).digest()


def _fault(error: Exception) -> IssuerError:
    return error if isinstance(error, IssuerError) else IssuerError(type(error).__name__)
