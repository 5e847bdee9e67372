"""A key source that a test scripts, in virtual time."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from server.auth.key_cache import KeyCache
from server.auth.key_source import KeySourceError
from tests.support.auth.tokens import Signer, all_signers, key_set


@dataclass(eq=False)
class ScriptedSource:
    """Publishes a document, is unavailable, or lets requests wait."""

    document: bytes = field(default_factory=lambda: key_set(*all_signers()))
    away: bool = False
    retry_after: float | None = None
    takes: float = 0
    fault: Exception | None = None
    asked_at: list[float] = field(default_factory=list)

    def publishes(self, *keys: Signer | dict[str, Any]) -> None:
        """Publish these keys from now on."""
        self.document = key_set(*keys)

    async def __call__(self) -> bytes:
        self.asked_at.append(_now())
        document, away = self.document, self.away
        await asyncio.sleep(self.takes)
        if self.fault:
            raise self.fault
        if away:
            raise KeySourceError("away", self.retry_after)
        return document

    @property
    def asked(self) -> int:
        """How often it was read."""
        return len(self.asked_at)

    def keys(self) -> KeyCache:
        """Make keys of this source, whose clock is the loop's."""
        return KeyCache(self, _now)


def _now() -> float:
    return asyncio.get_running_loop().time()
