"""The two ways to serve: the same service beside Envoy, or inside it."""

from enum import StrEnum


class Way(StrEnum):
    """Where Python answers."""

    BESIDE = "beside"
    INSIDE = "inside"

    @property
    def settings(self) -> dict[str, str]:
        """The settings that choose it."""
        return {"INSIDE": "1" if self is Way.INSIDE else "0"}
