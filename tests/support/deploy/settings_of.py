"""The environment variables that each image reads."""

from gateway.config import GatewaySettings
from server.config import loading

GATEWAY = frozenset(name.upper() for name in GatewaySettings.model_fields)
SERVER = frozenset().union(*(group.variables() for group in loading._GROUPS))
READ_BY = {
    "livecalls-server": SERVER,
    "livecalls-gateway": GATEWAY,
    "livecalls-embedded": SERVER | GATEWAY,
}


def image_of(reference: str) -> str:
    """Return an image's own name, without its registry and tag."""
    return reference.rpartition("/")[2].partition(":")[0]
