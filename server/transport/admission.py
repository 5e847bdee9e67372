"""What every request passes before its method: the limit of requests, and the authenticator."""

from collections.abc import Awaitable, Callable

from server.auth.authenticator import Authenticator
from server.auth.errors import NotAdmittedError, ScopesMissingError
from server.transport.call_context import CallContext
from server.transport.errors import TooBusyError
from server.transport.metrics import IN_FLIGHT, MAX, record_rejection

Method = Callable[[bytes, CallContext], Awaitable[bytes]]
"""Takes the bytes of a request, and returns those of its response."""


class Admission:
    """Admits requests whose callers the authenticator admits, and only so many at once."""

    def __init__(self, authenticator: Authenticator, max_requests: int) -> None:
        self._authenticator = authenticator
        self._room = max_requests
        MAX.set(max_requests)
        IN_FLIGHT.set_function(lambda: max_requests - self._room)

    def before(self, method: Method) -> Method:
        """Put the admission before a method: it raises TooBusyError, or NotAdmittedError."""

        async def admit(request: bytes, context: CallContext) -> bytes:
            if self._room == 0:
                record_rejection(TooBusyError)
                raise TooBusyError
            self._room -= 1
            try:
                context.client = await self._authenticator.admit(context.values("authorization"))
                return await method(request, context)
            except NotAdmittedError as error:
                if isinstance(error, ScopesMissingError):
                    context.client = error.client
                record_rejection(type(error))
                raise
            finally:
                self._room += 1

        return admit
