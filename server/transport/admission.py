"""What every request passes before its method: the limit of requests, and the authenticator."""

from collections.abc import Awaitable, Callable

from server.auth.authenticator import Authenticator
from server.transport.call_context import CallContext
from server.transport.errors import TooBusyError

Method = Callable[[bytes, CallContext], Awaitable[bytes]]
"""Takes the bytes of a request, and returns those of its response."""


class Admission:
    """Admits requests whose callers the authenticator admits, and only so many at once."""

    def __init__(self, authenticator: Authenticator, max_requests: int) -> None:
        self._authenticator = authenticator
        self._room = max_requests

    def before(self, method: Method) -> Method:
        """Put the admission before a method: it raises TooBusyError, or NotAdmittedError."""

        async def admit(request: bytes, context: CallContext) -> bytes:
            if self._room == 0:
                raise TooBusyError
            self._room -= 1
            try:
                await self._authenticator.admit(context.values("authorization"))
                return await method(request, context)
            finally:
                self._room += 1

        return admit
