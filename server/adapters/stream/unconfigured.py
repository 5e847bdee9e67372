"""Stands in for Stream where there is no Stream app to ask."""

from server.application.call import LiveStatus


class Unconfigured:
    """Knows nothing of any call."""

    async def live_status(
        self,
        stream_call_type: str,  # noqa: ARG002 - the port's
        stream_call_id: str,  # noqa: ARG002 - the port's
        within: float,  # noqa: ARG002 - the port's
    ) -> LiveStatus | None:
        """Say that nothing is known."""
        return None
