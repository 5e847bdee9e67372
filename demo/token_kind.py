"""The kinds of access token that a demo may accept, and which one that of this folder does."""

from collections.abc import Iterable
from enum import StrEnum

from demo.folders import OPAQUE_TOKENS, TOKENS
from demo.issuer import DAY, DemoIssuer
from demo.opaque_tokens import OpaqueTokens

_NOTE = TOKENS / "kind"


class TokenKind(StrEnum):
    """How a server verifies a token."""

    JWT = "jwt"
    """By its signature."""
    OPAQUE = "opaque"
    """By introspection at the issuer."""

    def issue(self, scopes: Iterable[str] = (), seconds: int = DAY) -> str:
        """Issue a token that grants the scopes, and is good for so many seconds."""
        if self is TokenKind.OPAQUE:
            return OpaqueTokens(OPAQUE_TOKENS).issue(scopes, seconds)
        return DemoIssuer(TOKENS).token(scopes, seconds)

    def note(self) -> None:
        """Note that the demo in this folder accepts this kind, for commands that issue tokens."""
        TOKENS.mkdir(parents=True, exist_ok=True)
        _NOTE.write_text(self.value)


def read_kind() -> TokenKind:
    """Read which kind the last demo in this folder accepted; JSON Web Tokens if there was none."""
    try:
        return TokenKind(_NOTE.read_text())
    except (FileNotFoundError, ValueError):
        return TokenKind.JWT
