"""Envoy's configuration as the gateway renders it, for tests that need another number in it."""

import json
from copy import deepcopy
from typing import Any

import yaml


class EnvoyConfiguration:
    """A rendered configuration, to be changed in a place or two."""

    def __init__(self, rendered: str) -> None:
        # As safe_load does, in a quarter of its 0.2 s.
        self.tree: Any = yaml.load(rendered, yaml.CSafeLoader)

    @property
    def http(self) -> Any:
        """The HTTP connection manager towards callers."""
        listener = self._named("listeners", "rest")
        return listener["filter_chains"][0]["filters"][0]["typed_config"]

    @property
    def cluster(self) -> Any:
        """The cluster of servers."""
        return self._named("clusters", "livecalls")

    def _named(self, kind: str, name: str) -> Any:
        return next(it for it in self.tree["static_resources"][kind] if it["name"] == name)

    def set_application(self, application: str) -> None:
        """Embed another application than the server."""
        host = self.http["http_filters"][-2]["typed_config"]["filter_config"]
        host["value"] = json.dumps({**json.loads(host["value"]), "app": application})

    def set_monitor(self, name: str, field: str, value: int) -> None:
        """Give a monitor of the overload manager another limit."""
        for monitor in self.tree["overload_manager"]["resource_monitors"]:
            if monitor["name"].endswith(name):
                monitor["typed_config"][field] = value

    def never_refill_buckets(self) -> None:
        """Refill the bucket of a caller that has spent it only after an hour."""
        (limit,) = (f["typed_config"] for f in self.http["http_filters"] if f["name"] == "rate_limit")
        for bucket in (limit["token_bucket"], limit["descriptors"][0]["token_bucket"]):
            bucket["fill_interval"] = "3600s"

    def add_server(self, port: int) -> None:
        """Add another server, as if a name has several addresses."""
        endpoints = self.cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        another = deepcopy(endpoints[0])
        another["endpoint"]["address"]["socket_address"]["port_value"] = port
        endpoints.append(another)
