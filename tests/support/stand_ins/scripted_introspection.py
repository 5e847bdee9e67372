"""An introspection endpoint that responds as a test scripts it, in the loop's time."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from server.auth.errors import IntrospectionUnavailableError, TokenRefusedError
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_answer import Answer, Expected
from server.auth.issuer_errors import IssuerError
from server.auth.tokens import Grant
from server.config.introspection import IntrospectionSettings


@dataclass
class ScriptedIntrospection:
    """Knows some tokens, and may be slow or unavailable."""

    active: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The claims of the tokens that are active."""
    takes: float = 0
    failure: Exception | None = None
    asked: list[tuple[str, float]] = field(default_factory=list)
    """The tokens that were introspected, and when."""
    under_way: int = 0
    most_under_way: int = 0

    async def __call__(self, token: str) -> Answer:
        self.asked.append((token, now()))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.under_way -= 1
        if self.failure:
            raise self.failure
        claims = self.active.get(token)
        return {"active": False} if claims is None else {"active": True, **claims}

    def knows(self, token: str, **claims: Any) -> str:
        """Report that a token is active; return it."""
        self.active[token] = claims
        return token

    def fails(self, status: int | None = None, retry_after: float | None = None) -> None:
        """Fail all requests from now on."""
        self.failure = IssuerError("away", status=status, retry_after=retry_after)

    def is_well(self) -> None:
        """Respond from now on."""
        self.failure = None

    def asked_about(self, token: str) -> list[float]:
        """Return when a token was introspected."""
        return [moment for asked, moment in self.asked if asked == token]

    def tokens(self, **settings: Any) -> IntrospectedTokens:
        """Verify tokens by it, as configured by default but for changes."""
        return IntrospectedTokens(self, Expected(), introspection_settings(**settings), now)


async def verify(tokens: IntrospectedTokens, token: str) -> Grant:
    """Verify a token as the authenticator does."""
    return tokens.find_cached(token) or await tokens.verify(token)


async def refused(tokens: IntrospectedTokens, token: str) -> str:
    """Verify a token in vain, and return which check failed."""
    with pytest.raises(TokenRefusedError) as raised:
        await verify(tokens, token)
    return raised.value.check


async def unavailable(tokens: IntrospectedTokens, token: str) -> bool:
    """Verify a token, and return if that was not possible."""
    try:
        await verify(tokens, token)
    except IntrospectionUnavailableError:
        return True
    return False


def introspection_settings(url: str = "https://a.example/", **changes: Any) -> IntrospectionSettings:
    """Make settings without credentials, unless the changes have some."""
    return IntrospectionSettings(**{"url": url, "auth": "none", **changes})


def in_seconds(seconds: float) -> float:
    """Return the time in so many seconds, as `exp` has it."""
    return time.time() + seconds


def now() -> float:
    """Return the loop's time."""
    return asyncio.get_running_loop().time()
