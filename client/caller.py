"""Whoever asks a running service what the state of a call is, by one face or the other."""

from typing import Protocol


class Caller(Protocol):
    """Asks again and again, and keeps its connection meanwhile."""

    def ask(self, call_id: str) -> str:
        """Return the call as the documented JSON.

        Raises CallMissingError, UnavailableError, TokenRefusedError and ServiceFailedError.
        """

    def close(self) -> None:
        """Give the connection up."""


class AskingError(Exception):
    """There is no call to show; the message is for people, and may hold a server's own words."""


class CallMissingError(AskingError):
    """No call has this id."""


class UnavailableError(AskingError):
    """Nobody answers, or not in time, or somebody else might; asking again may help."""


class TokenRefusedError(AskingError):
    """There is no token, or none that is accepted."""


class ServiceFailedError(AskingError):
    """The answer is one that the service should not give, or somebody else's."""
