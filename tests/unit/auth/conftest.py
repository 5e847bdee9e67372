"""Here the loop's time is virtual: nothing waits, and every time is exact."""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping
from types import SimpleNamespace

import pytest

from server.auth import tokens as tokens_module
from server.auth.claims import TokenRules
from server.auth.key_cache import KeyCache
from server.auth.tokens import TokenVerifier
from tests.support.auth.tokens import AUDIENCE, ISSUER
from tests.support.auth.verifying import NOW
from tests.support.machine.clock import Clock
from tests.support.machine.virtual_time import VirtualTimeLoop
from tests.support.stand_ins.scripted_introspection import ScriptedIntrospection
from tests.support.stand_ins.scripted_keys import ScriptedSource


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual_time": VirtualTimeLoop}


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource()


@pytest.fixture
async def keys(source: ScriptedSource) -> AsyncIterator[KeyCache]:
    """The keys of the source, as it publishes them at the start."""
    async with source.keys().keep_fresh() as keys:
        yield keys


@pytest.fixture
def tokens(keys: KeyCache) -> TokenVerifier:
    return TokenVerifier({ISSUER: keys}, TokenRules((AUDIENCE,)))


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of day, for the check and for the cache of valid tokens."""
    clock = Clock(NOW)

    class Moment(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> "Moment":
            return cls.fromtimestamp(clock.now, tz)

    monkeypatch.setattr("jwt.api_jwt.datetime", Moment)
    monkeypatch.setattr(tokens_module, "time", SimpleNamespace(time=clock))
    return clock


@pytest.fixture
def issuer() -> ScriptedIntrospection:
    return ScriptedIntrospection()
