"""Runs the stand-in in a thread with a loop of its own."""

from contextlib import AbstractContextManager

from demo import serving
from demo.stream_stand_in.application import web_application
from demo.stream_stand_in.stand_in import StreamStandIn


def serve_in_thread(stand_in: StreamStandIn, port: int = 0) -> AbstractContextManager[str]:
    """Serve while the block lasts, and yield the base URL; port 0 takes a free one.

    Raises OSError if the port is taken.
    """
    return serving.serve_in_thread(web_application(stand_in), port)
