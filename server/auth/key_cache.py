"""The keys that tokens are signed with, kept fresh."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from server.auth.errors import KeysUnavailableError
from server.auth.jwks import KeySet, LeftOutKey, UnusableKeysError, VerificationKey, read_key_set
from server.auth.key_source import KeySource, KeySourceError

REFRESH_SECONDS = 300.0
RETRY_SECONDS = 5.0
MAX_RETRY_AFTER_SECONDS = 300.0
"""The longest Retry-After that is obeyed."""
UNKNOWN_KEY_SECONDS = 30.0

log = logging.getLogger("server.auth")


class KeyCache:
    """The key set of a source, reread every 5 minutes, or 5 s after that failed.

    It is also read for a key id that is not known, at most once in 30 s whatever callers send. The
    keys read last are kept as long as the source is unavailable; meanwhile nobody waits for others. Its
    Retry-After is obeyed, for 5 minutes at most.
    """

    def __init__(
        self,
        source: KeySource,
        clock: Callable[[], float] = time.monotonic,
        issuer: str | None = None,
    ) -> None:
        """Name the issuer in the log if others have keys of their own."""
        self._source = source
        self._clock = clock
        self._of = {} if issuer is None else {"issuer": issuer}
        self._document: bytes | None = None
        self._reading: asyncio.Task[None] | None = None
        self._begun = self._unknown_asked = -math.inf
        self._is_away = True
        self._left_alone_until = -math.inf
        self._first_read = asyncio.Event()
        self._left_out: frozenset[LeftOutKey] = frozenset()
        self.current = KeySet()
        self.generation = 0
        """A new number whenever a key was added or removed."""

    @asynccontextmanager
    async def keep_fresh(self) -> AsyncIterator["KeyCache"]:
        """Read the set, and keep it fresh while the block lasts."""
        await self._read()
        keeper = asyncio.create_task(self._poll())
        try:
            yield self
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def until_read(self) -> None:
        """Wait until the set was read for the first time, for as long as that takes."""
        await self._first_read.wait()

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """Find a key by its id, or by its algorithm alone if the set has exactly one for that.

        Raises KeysUnavailableError if the source, which may have it, cannot be read.
        """
        if self._should_ask(kid, algorithm) and self._reading:
            await self._read()
        if self._should_ask(kid, algorithm):
            await self.read_again()
        key = self.current.find(kid, algorithm)
        if key is None and self._is_away and self.current.may_lack(kid, algorithm):
            raise KeysUnavailableError
        return key

    async def read_again(self) -> None:
        """Read the set for a key that is not known, at most once in 30 s, if it is available."""
        if not self._is_away and self._since(self._unknown_asked) >= UNKNOWN_KEY_SECONDS:
            self._unknown_asked = self._clock()
            await self._read()

    def _should_ask(self, kid: str | None, algorithm: str) -> bool:
        """Return whether the source is available and may have a key that is not known."""
        return not self._is_away and self.current.may_lack(kid, algorithm)

    def _since(self, moment: float) -> float:
        return self._clock() - moment

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if self._is_due():
                await self._read()

    def _is_due(self) -> bool:
        if self._is_away:
            return self._clock() >= self._left_alone_until
        return self._since(self._begun) >= REFRESH_SECONDS

    async def _read(self) -> None:
        """Read the set; concurrent callers share one read, which none of them can cancel."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read_once())
        await asyncio.shield(self._reading)

    async def _read_once(self) -> None:
        self._begun = self._clock()
        try:
            self._take(await self._source())
            self._is_away = False
            self._first_read.set()
        except (KeySourceError, UnusableKeysError) as error:
            self._is_away = True
            if isinstance(error, UnusableKeysError):
                self._log_left_out(error.left_out)
            else:
                self._leave_alone(error.retry_after or 0)
            failure = {**self._of, "reason": str(error), "keys": len(self.current)}
            log.error("keys cannot be read", extra=failure)  # noqa: TRY400 - the reason is enough
        except Exception:  # a bug of ours: the next read may succeed, and there must be one
            self._is_away = True
            log.exception("keys cannot be read", extra={**self._of, "keys": len(self.current)})
        finally:
            self._reading = None

    def _leave_alone(self, seconds: float) -> None:
        self._left_alone_until = self._clock() + min(seconds, MAX_RETRY_AFTER_SECONDS)

    def _take(self, document: bytes) -> None:
        if document != self._document:
            self.current = read_key_set(document)
            self.generation += 1
            self._document = document
            self._log_left_out(self.current.left_out)
            log.info(
                "keys read",
                extra={**self._of, "kids": sorted(self.current.kids), "keys": len(self.current)},
            )

    def _log_left_out(self, left_out: frozenset[LeftOutKey]) -> None:
        """Log each key once, for as long as the set has it."""
        for key in left_out - self._left_out:
            log.warning("key ignored", extra={**self._of, **key._asdict()})
        self._left_out = left_out
