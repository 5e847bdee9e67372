"""Retries once if the server drops a kept connection as the request arrives."""

from collections.abc import Mapping

import httpx

_DROPPED = "Server disconnected without sending a response."
"""httpcore's message if a connection is closed before the header of a response was complete."""


class FreshConnectionTransport(httpx.AsyncBaseTransport):
    """An HTTP transport that keeps connections, and tries a dropped request on one that is new.

    A server closes kept connections as it likes, and may do so as a request is on its way: that is no
    failure of the server. The retry has a pool of its own that keeps nothing, for the other
    connections of the first may be dead as well. For requests that may be sent twice, as all that only
    read may. A response has come once its header is complete; what breaks later is not retried.
    """

    def __init__(self, kept: httpx.AsyncBaseTransport, fresh: httpx.AsyncBaseTransport) -> None:
        self._kept = kept
        self._fresh = fresh

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        is_new = False

        async def note(event: str, _info: Mapping[str, object]) -> None:
            nonlocal is_new
            is_new = is_new or event == "connection.connect_tcp.started"

        request.extensions["trace"] = note
        try:
            return await self._kept.handle_async_request(request)
        except httpx.TransportError as error:
            # A server that drops a new connection is in trouble, which a second request only adds to.
            if is_new or not _is_drop(error):
                raise
        return await self._fresh.handle_async_request(request)

    async def aclose(self) -> None:
        await self._kept.aclose()
        await self._fresh.aclose()


def _is_drop(error: httpx.TransportError) -> bool:
    """Return whether a connection ended before a response, by FIN or by RST."""
    by_fin = isinstance(error, httpx.RemoteProtocolError) and str(error) == _DROPPED
    return by_fin or isinstance(error, httpx.ReadError | httpx.WriteError)
