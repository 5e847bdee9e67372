"""Whether the demo's APIs answer, asked as its callers ask."""

from collections.abc import Sequence

import grpc

from demo.access import Access
from demo.readiness import grpc_answers, rest_answers
from demo.sample_calls import sample_id


class Probes:
    """Probes of both APIs at their addresses, with a caller's credentials."""

    def __init__(self, rest_url: str, grpc_addresses: Sequence[str], access: Access) -> None:
        self._call_url = f"{rest_url}/v1/live/calls/{sample_id(1)}"
        self._ready_url = f"{rest_url}/readyz"
        self._grpc_addresses = grpc_addresses
        # The user's own issuer, which may be unavailable, is not called for a token of another.
        self._token = access.token if access.issued else None
        certificates = access.certificates
        self._ca_file = certificates.ca_file if certificates else None
        self._credentials = (
            grpc.ssl_channel_credentials(*certificates.caller()) if certificates else None
        )

    def both(self) -> bool:
        return self.grpc() and self.rest()

    def grpc(self) -> bool:
        """Return whether each process of the server serves."""
        return all(grpc_answers(address, self._credentials) for address in self._grpc_addresses)

    def rest(self) -> bool:
        """Return whether a server answers through the gateway, and the gateway knows that it can."""
        is_ready = rest_answers(self._ready_url, ca_file=self._ca_file)
        return is_ready and rest_answers(self._call_url, self._token, self._ca_file)
