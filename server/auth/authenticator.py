"""Decides whether a caller is admitted."""

import logging
from collections.abc import Sequence
from typing import Protocol

from server.auth.bearer import bearer_token
from server.auth.errors import (
    NotAdmittedError,
    ScopesMissingError,
    TokenRefusedError,
    TokenRequiredError,
)
from server.auth.metrics import ACCEPTED, CACHE_HIT, record_refusal
from server.auth.tokens import Grant
from server.runtime import tracing

log = logging.getLogger("server.auth")


class Authenticator(Protocol):
    """Guards every method of the service."""

    async def admit(self, authorization: Sequence[str | bytes]) -> str | None:
        """Admit a caller by its Authorization headers, or raise NotAdmittedError.

        Returns the caller's client as the log shows it, None if it is not known.
        """
        ...


class Verifier(Protocol):
    """Finds out what tokens grant."""

    def find_cached(self, token: str) -> Grant | None:
        """Return what a token grants that was verified before, or None."""
        ...

    async def verify(self, token: str) -> Grant:
        """Return what a token grants, or raise NotAdmittedError."""
        ...


class TokenAuthenticator:
    """Admits callers with a valid token that grants all required scopes."""

    def __init__(self, tokens: Verifier, required_scopes: frozenset[str]) -> None:
        self._tokens = tokens
        self._required = required_scopes

    async def admit(self, authorization: Sequence[str | bytes]) -> str | None:
        try:
            with tracing.span("check token"):
                token = bearer_token(authorization)
                if grant := self._tokens.find_cached(token):
                    CACHE_HIT.value += 1
                else:
                    grant = await self._tokens.verify(token)
                if not self._required <= grant.scopes:
                    raise self._lacking(grant)
        except NotAdmittedError as error:
            record_refusal(error)
            if isinstance(error, TokenRequiredError | TokenRefusedError):
                log.info("token refused", extra={"check": error.check, **error.shown})
            raise
        ACCEPTED.value += 1
        return grant.client

    def _lacking(self, grant: Grant) -> ScopesMissingError:
        log.info("scopes missing", extra={"scopes": sorted(self._required - grant.scopes)})
        return ScopesMissingError(self._required, grant.client)


class AllowAll:
    """Admits every caller, for AUTH=off."""

    async def admit(self, authorization: Sequence[str | bytes]) -> None:
        pass
