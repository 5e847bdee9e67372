"""A short-lived cache of introspection responses, by the digests of the tokens."""

from collections import OrderedDict
from collections.abc import Callable
from sys import getsizeof

from server.auth.errors import TokenRefusedError
from server.auth.tokens import Grant

MAX_GRANTS = 10_000
MAX_GRANT_BYTES = 32 * 1024 * 1024
"""What grants take at most, those of 10,000 tokens with 60 scopes each."""
MAX_REFUSALS = 10_000
"""Refused tokens that are cached at most, some 300 bytes each."""
REFUSED_SECONDS = 5.0
RENEW_AFTER = 0.8
"""The fraction of an entry's time after which it is renewed."""
RETRY_SECONDS = 1.0

_ENTRY_BYTES = 500


class Entry:
    """A grant, when to renew it, and until when it is used; both by the cache's clock."""

    __slots__ = ("bytes", "grant", "renew_at", "until")

    def __init__(self, grant: Grant, renew_at: float, until: float) -> None:
        self.grant = grant
        self.renew_at = renew_at
        self.until = until
        self.bytes = _ENTRY_BYTES + getsizeof(grant.scopes) + sum(map(getsizeof, grant.scopes))


class GrantCache:
    """Grants, bounded by number and bytes; the least recently used one is evicted.

    Expired entries stay until they are evicted: they show that a token was good.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._bytes = 0

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._entries

    def find(self, digest: bytes) -> Entry | None:
        """Return the entry of a token unless it has expired."""
        entry = self._entries.get(digest)
        if entry is None or entry.until <= self._clock():
            return None
        self._entries.move_to_end(digest)
        return entry

    def remember(self, digest: bytes, grant: Grant, asked_at: float, lasts: float) -> None:
        """Keep a grant for the cache's time since its request, and no longer than it lasts (seconds)."""
        self.forget(digest)
        until = min(asked_at + self._seconds, self._clock() + lasts)
        entry = Entry(grant, asked_at + self._seconds * RENEW_AFTER, until)
        self._entries[digest] = entry
        self._bytes += entry.bytes
        while len(self._entries) > MAX_GRANTS or self._bytes > MAX_GRANT_BYTES:
            self._bytes -= self._entries.popitem(last=False)[1].bytes

    def put_off_renewal(self, digest: bytes) -> None:
        """Renew a token no sooner than in RETRY_SECONDS, if it is cached."""
        if entry := self._entries.get(digest):
            entry.renew_at = self._clock() + RETRY_SECONDS

    def forget(self, digest: bytes) -> None:
        """Drop a token, if it is cached."""
        if entry := self._entries.pop(digest, None):
            self._bytes -= entry.bytes


class RefusalCache:
    """Refused tokens, in a cache of their own, so that junk pushes out junk alone."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = min(seconds, REFUSED_SECONDS)
        self._clock = clock
        self._refusals: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def check(self, digest: bytes) -> None:
        """Raise TokenRefusedError if the token was refused seconds ago."""
        failed, until = self._refusals.get(digest, ("", 0))
        if failed and until > self._clock():
            raise TokenRefusedError(failed)

    def remember(self, digest: bytes, failed: str) -> None:
        """Keep the check that a token failed for a few seconds."""
        self._refusals.pop(digest, None)
        self._refusals[digest] = (failed, self._clock() + self._seconds)
        if len(self._refusals) > MAX_REFUSALS:
            self._refusals.popitem(last=False)
