"""The two ways to serve, standalone or embedded in Envoy, and the ways in that callers have."""

from enum import StrEnum


class Way(StrEnum):
    """Whether Python serves standalone or embedded in Envoy."""

    BESIDE = "beside"
    INSIDE = "inside"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that choose it."""
        return {"INSIDE": "1" if self is Way.INSIDE else "0"}


class WayIn(StrEnum):
    """How a client comes to the service."""

    DIRECT = "direct"
    THROUGH = "through Envoy"
    INSIDE = "inside Envoy"

    @property
    def way(self) -> Way:
        """The way to serve that has it."""
        return Way.INSIDE if self is WayIn.INSIDE else Way.BESIDE
