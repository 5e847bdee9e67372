"""Tokens for a verifier whose time of day stands still."""

from typing import Any

import pytest

from server.auth.errors import TokenRefusedError
from server.auth.tokens import TokenVerifier
from tests.support.auth.tokens import Signer, signer

NOW = 2_000_000_000
RSA = signer("RS256")


def token(key: Signer = RSA, /, **claims: Any) -> str:
    """Sign a token that is valid for five minutes from NOW, but for changes."""
    return key.token(**{"iat": NOW, "exp": NOW + 300, **claims})


async def check_of(tokens: TokenVerifier, token: str) -> str:
    """Verify a token in vain, and return which check failed."""
    with pytest.raises(TokenRefusedError) as raised:
        await tokens.verify(token)
    assert str(raised.value) == "The access token is not valid."
    return raised.value.check
