"""The endpoints of Stream that the stand-in has, and how they refuse."""

from dataclasses import dataclass
from typing import NamedTuple


class Fault(NamedTuple):
    """What an error envelope says."""

    status: int
    code: int
    message: str


@dataclass(frozen=True)
class Endpoint:
    """One of Stream's: the status of its good responses, and its rate limit in requests a minute."""

    name: str
    status: int
    rate_limit: int

    def fault(self, status: int, code: int, reason: str) -> Fault:
        """Make a fault that names the endpoint."""
        return Fault(status, code, f'{self.name} failed with error: "{reason}"')

    def input_fault(self, reason: str) -> Fault:
        """Make the fault of a request that asks for what cannot be."""
        return self.fault(400, 4, reason)


GET_CALL = Endpoint("GetCall", 200, 1000)
QUERY_CALLS = Endpoint("QueryCalls", 201, 300)
