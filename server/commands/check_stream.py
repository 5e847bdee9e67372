"""Checks Stream's credentials, and says why a request to Stream brought nothing."""

import asyncio
from contextlib import suppress

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamEndpointNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
)
from server.commands.finding import Finding
from server.config.stream import StreamSettings

MAX_SECONDS = 5
"""How long a request may take."""
_REFUSALS = ("status 401", "status 403")


def check_stream(settings: StreamSettings) -> Finding:
    """Request a call that does not exist."""
    try:
        asyncio.run(_ask(settings))
    except (StreamError, TimeoutError) as error:
        return Finding("FAIL", "Stream", describe_failure(error))
    return Finding("ok", "Stream", "credentials accepted")


def describe_failure(error: StreamError | TimeoutError) -> str:
    """Describe for the finding why a request brought nothing."""
    match error:
        case StreamRequestRejectedError():
            return "the request is rejected (status 400)"
        case StreamRateLimitedError():
            return "its rate limit is reached: try again later"
        case StreamEndpointNotFoundError():
            return "STREAM_BASE_URL does not lead to its API (status 404)"
        case StreamFailedError():
            verdict = "credentials refused" if error.reason in _REFUSALS else "cannot be asked"
            return f"{verdict} ({error.reason})"
        case _:
            return f"no response in {MAX_SECONDS} s"


async def _ask(settings: StreamSettings) -> None:
    # The SDK takes a second to import: only if it is used.
    from server.adapters.stream.client import StreamClient  # noqa: PLC0415

    client = StreamClient(settings)
    try:
        # Stream reports a missing call only to valid credentials.
        with suppress(StreamCallNotFoundError):
            async with asyncio.timeout(MAX_SECONDS):
                await client.fetch("livestream", "livecalls-check")
    finally:
        await client.aclose()
