"""The keys of all issuers, kept fresh."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from server.auth.key_cache import KeyCache
from server.auth.key_source import KeySource


@asynccontextmanager
async def issuer_keys(sources: Mapping[str, KeySource]) -> AsyncIterator[Mapping[str, KeyCache]]:
    """Keep the keys of each issuer fresh while the block lasts; those with one source share them."""
    issuers = {source: issuer for issuer, source in sources.items()}
    keys = {
        source: KeyCache(source, issuer=issuer if len(issuers) > 1 else None)
        for source, issuer in issuers.items()
    }
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(own.keep_fresh()) for own in keys.values()))
        yield {issuer: keys[source] for issuer, source in sources.items()}
