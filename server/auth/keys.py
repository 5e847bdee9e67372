"""The keys that tokens are signed with, kept fresh."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import jwt

from server.auth.errors import KeysUnavailableError
from server.auth.jwks import KeySet, UnusableKeysError, read_key_set
from server.auth.key_source import KeySource, KeySourceError

REFRESH_SECONDS = 300.0
RETRY_SECONDS = 5.0
UNKNOWN_KEY_SECONDS = 30.0

log = logging.getLogger("server.auth")


class Keys:
    """The key set of a source, read anew every 5 minutes, or 5 s after that failed.

    It is also read for a key id that is not known, at most once in 30 s whatever callers send. The
    keys at hand are kept for as long as the source is away; meanwhile nobody waits for others.
    """

    def __init__(self, source: KeySource, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._document: bytes | None = None
        self._reading: asyncio.Task[None] | None = None
        self._begun = self._unknown_asked = -math.inf
        self._is_away = True
        self._first_read = asyncio.Event()
        self.current: KeySet = {}
        """Another object whenever a key came or went."""

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator["Keys"]:
        """Read the set, and keep it fresh while the block lasts."""
        await self._read()
        keeper = asyncio.create_task(self._keep_fresh())
        try:
            yield self
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def until_read(self) -> None:
        """Wait until the set was read for the first time, for as long as that takes."""
        await self._first_read.wait()

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Find a key by its id; raises KeysUnavailableError where the source cannot say."""
        if self._lacks(key_id) and self._reading:
            await self._read()
        if self._lacks(key_id) and self._since(self._unknown_asked) >= UNKNOWN_KEY_SECONDS:
            self._unknown_asked = self._clock()
            await self._read()
        key = self.current.get(key_id)
        if key is None and self._is_away:
            raise KeysUnavailableError
        return key

    def _lacks(self, key_id: str) -> bool:
        """Tell whether a key is missing that the source, which is there, may have."""
        return key_id not in self.current and not self._is_away

    def _since(self, moment: float) -> float:
        return self._clock() - moment

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if self._is_away or self._since(self._begun) >= REFRESH_SECONDS:
                await self._read()

    async def _read(self) -> None:
        """Read the set; all who want it at the same time share one reading, which none can cancel."""
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
            log.error("keys cannot be read", extra={"reason": str(error), "kept": len(self.current)})  # noqa: TRY400 - the reason says it all
        finally:
            self._reading = None

    def _take(self, document: bytes) -> None:
        if document != self._document:
            self.current = read_key_set(document)
            self._document = document
            log.info("keys read", extra={"kids": sorted(self.current)})
