"""Environment variables that look like a setting or were one, and so would be ignored silently."""

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from machine.renamed import RENAMED

# What Kubernetes puts into pods for each Service, of whatever name.
_OF_A_SERVICE = re.compile(
    r"\w+_SERVICE_(HOST|PORT(_\w+)?)|\w+_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?"
)
_SERVICE_URL = re.compile("(tcp|udp|sctp)://")
# Closer than gRPC's own variables are to GRPC_HOST, and than NODE_NAME is to NODE_ID.
_CLOSE = 0.6


def find_misspelt(
    environment: Mapping[str, str], settings: Collection[str], prefixes: tuple[str, ...]
) -> Iterator[str]:
    """Describe each variable that is no setting although it looks like one, or has been renamed to one.

    All that begins with one of the prefixes does, and what is close to a setting of the same first word.
    """
    for variable, value in environment.items():
        name = variable.upper()
        if not value or name in settings or _set_by_kubernetes(name, value):
            continue
        if (new := RENAMED.get(name)) in settings:
            yield f"{variable} is called {new} now"
        elif nearest := _nearest(name, settings, prefixes):
            yield f"{variable} is no setting: is {nearest} meant?"


def _set_by_kubernetes(name: str, value: str) -> bool:
    return bool(_OF_A_SERVICE.fullmatch(name) or (name.endswith("_PORT") and _SERVICE_URL.match(value)))


def _nearest(name: str, settings: Collection[str], prefixes: tuple[str, ...]) -> str | None:
    ours = next((prefix for prefix in prefixes if name.startswith(prefix)), None)
    prefix = ours or name.partition("_")[0] + "_"
    rests = [setting.removeprefix(prefix) for setting in settings if setting.startswith(prefix)]
    found = get_close_matches(name.removeprefix(prefix), rests, 1, 0 if ours else _CLOSE)
    return prefix + found[0] if found else None
