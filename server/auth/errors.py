"""The errors of callers that are not admitted; the messages are written for them."""

from collections.abc import Mapping
from types import MappingProxyType


class AuthNotConfiguredError(Exception):
    """It is not configured who may call."""

    def __init__(self) -> None:
        super().__init__(
            "It is not set who may call: set AUTH_ISSUER and AUTH_AUDIENCE, or AUTH_INTROSPECTION_URL, "
            "or AUTH=off to let everybody in"
        )


class NotAdmittedError(Exception):
    """The caller is not admitted."""


class TokenRequiredError(NotAdmittedError):
    """The caller sends no token."""

    check = "no token"
    shown: Mapping[str, object] = MappingProxyType({})

    def __init__(self) -> None:
        super().__init__("An access token is required.")


class TokenRefusedError(NotAdmittedError):
    """The token is not accepted; which check it failed is for the log alone."""

    def __init__(self, check: str, **shown: object) -> None:
        """Take what a well-signed token has and what is required, for the log: nothing personal."""
        super().__init__("The access token is not valid.")
        self.check = check
        self.shown = shown


class ScopesMissingError(NotAdmittedError):
    """The token is valid, but lacks a required scope; its client is for the log alone."""

    def __init__(self, required: frozenset[str], client: str | None) -> None:
        super().__init__("The access token lacks a required scope.")
        self.required = required
        self.client = client


class KeysUnavailableError(NotAdmittedError):
    """No token can be verified: there are no keys."""

    def __init__(self) -> None:
        super().__init__("Access tokens cannot be checked right now. Try again shortly.")


class IntrospectionUnavailableError(NotAdmittedError):
    """The token cannot be introspected at its issuer."""

    def __init__(self) -> None:
        super().__init__("Access tokens cannot be checked right now. Try again shortly.")
