"""Takes what grpc.aio's abort() leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc


@contextmanager
def cut_aborts() -> Iterator[None]:
    """Swallow the exception of abort(), which gRPC raises again once the handler has returned.

    gRPC keeps it with the call. From its traceback the call can be reached again, and what is below it:
    collecting that, the garbage collector would stop all calls for 15 ms once some hundreds have failed.
    """
    try:
        yield
    except grpc.aio.AbortError as aborted:
        aborted.__traceback__ = aborted.__context__ = None
