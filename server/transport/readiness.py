"""When a server is ready: once it has keys, and has read the calls; and when it is so no more."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from time import monotonic
from typing import NoReturn, Protocol
from uuid import UUID

from server.application.errors import CallUnreadableError, StoreUnavailableError
from server.application.ports import Calls
from server.auth.key_cache import KeyCache

_RETRY_SECONDS = 1.0
_SOME_ID = str(UUID(int=0))

log = logging.getLogger("server")


class Announcing(Protocol):
    """A server whose health others look at."""

    async def announce_ready(self) -> None:
        """Set its health to SERVING."""
        ...

    async def announce_unready(self) -> None:
        """Set its health to NOT_SERVING."""
        ...


class Readiness:
    """What a fresh server waits for before its health is SERVING; later outages do not matter.

    Without keys it could admit nobody, so it waits for them as long as it takes: for those of one
    issuer, if there are several. For the others, and for an unavailable database, it waits so many
    seconds, or as long as it takes as well if these are 0: in an outage all would respond alike, and
    none may stay out of the pool for ever.
    """

    def __init__(self, keys: Collection[KeyCache], calls: Calls, within: float) -> None:
        """Wait for no keys if there are none: then no token is verified by key."""
        self._keys = keys
        self._calls = calls
        self._within = within or None

    async def until_ready(self) -> None:
        """Wait until keys were read, and a SELECT succeeded or was waited for long enough."""
        if self._keys:
            await self._until_keys()
        try:
            async with asyncio.timeout(self._within):
                await self._until_a_read()
        except TimeoutError:
            log.error("gave up waiting for the database", extra={"timeout_s": self._within})  # noqa: TRY400 - a traceback adds nothing

    async def watch_database(self, server: Announcing, grace: float) -> NoReturn:
        """Announce that a server is not ready while no SELECT has gone well for so many seconds.

        That is for a server whose callers others could serve, by another database.
        """
        last_read, is_away = monotonic(), False
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            try:
                await self._read()
            except StoreUnavailableError:
                if not is_away and monotonic() - last_read >= grace:
                    is_away = True
                    log.error("not ready: no read of the database has succeeded", extra={"for_s": grace})  # noqa: TRY400 - the log has the reason
                    await server.announce_unready()
                continue
            last_read = monotonic()
            if is_away:
                is_away = False
                log.info("ready again: the database is read")
                await server.announce_ready()

    async def _until_keys(self) -> None:
        readings = [asyncio.create_task(keys.until_read()) for keys in self._keys]
        try:
            await asyncio.wait(readings, return_when=asyncio.FIRST_COMPLETED)
            _, missing = await asyncio.wait(readings, timeout=self._within)
        finally:
            for reading in readings:
                reading.cancel()
        if missing:
            log.error("gave up waiting for the keys of some issuers", extra={"issuers": len(missing)})

    async def _until_a_read(self) -> None:
        while True:
            with suppress(StoreUnavailableError):  # the log has the reason
                await self._read()
                return
            await asyncio.sleep(_RETRY_SECONDS)

    async def _read(self) -> None:
        """Read a call as for callers; whether it exists, and is valid, does not matter."""
        with suppress(CallUnreadableError):
            await self._calls.find(_SOME_ID)
