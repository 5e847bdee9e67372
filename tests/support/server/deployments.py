"""The two ways to serve, standalone or embedded in Envoy, and the ways in that callers have."""

from enum import StrEnum


class Deployment(StrEnum):
    """Whether Python serves standalone or embedded in Envoy."""

    STANDALONE = "standalone"
    EMBEDDED = "embedded"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that choose it."""
        return {"EMBEDDED": "1" if self is Deployment.EMBEDDED else "0"}


class WayIn(StrEnum):
    """How a client comes to the service."""

    DIRECT = "direct"
    THROUGH = "through Envoy"
    EMBEDDED = "embedded in Envoy"

    @property
    def deployment(self) -> Deployment:
        """The way to serve that has it."""
        return Deployment.EMBEDDED if self is WayIn.EMBEDDED else Deployment.STANDALONE
