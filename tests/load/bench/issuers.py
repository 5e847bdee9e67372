"""The issuers of callers' access tokens: signed ones, or opaque ones that a server introspects."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from demo.introspection import issuer_application
from demo.opaque_issuer import Client, OpaqueIssuer
from demo.opaque_tokens import OpaqueTokens
from demo.serving import serve_in_thread

_CLIENT = Client("livecalls", "secret-of-the-bench")


class Issuer(Protocol):
    """Issues tokens, of either kind."""

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that accepts its tokens."""

    def token(self) -> str:
        """Issue a token."""


@dataclass(frozen=True)
class RunningIssuer:
    """A running issuer of opaque tokens."""

    tokens: OpaqueTokens
    settings: dict[str, str]

    def token(self) -> str:
        return self.tokens.issue()


@contextmanager
def opaque_issuer_running(folder: Path) -> Iterator[RunningIssuer]:
    """Run an issuer of opaque tokens while the block lasts."""
    tokens = OpaqueTokens(folder)
    with serve_in_thread(issuer_application(tokens, _CLIENT)) as url:
        port = int(url.rpartition(":")[2])
        yield RunningIssuer(tokens, OpaqueIssuer(port, _CLIENT).settings)
