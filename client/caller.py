"""Clients that get the state of a call from a running service, by gRPC or REST."""

from typing import Protocol


class Caller(Protocol):
    """A client that may send many requests, and keeps its connection meanwhile."""

    def ask(self, call_id: str) -> str:
        """Return the call as the documented JSON.

        Raises CallNotFoundError, UnavailableError, TokenRefusedError and ServiceFailedError.
        """

    def close(self) -> None:
        """Close the connection."""


class CallerError(Exception):
    """There is no call to print; the message is for people, and may quote a server's own."""


class CallNotFoundError(CallerError):
    """No call has this id."""


class UnavailableError(CallerError):
    """The service does not respond, or not in time, or is unavailable; a retry may help."""


class TokenRefusedError(CallerError):
    """There is no token, or it is not accepted."""


class ServiceFailedError(CallerError):
    """The response is one that the service should not send, or is not the service's."""
