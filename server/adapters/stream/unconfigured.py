"""Stands in for Stream if no Stream app is configured."""

from server.adapters.stream.metrics import NullReason, record_null
from server.application.call import LiveStatus


class Unconfigured:
    """Has no live status of any call."""

    async def live_status(
        self,
        stream_call_type: str,  # noqa: ARG002 - the port's
        stream_call_id: str,  # noqa: ARG002 - the port's
        within: float,  # noqa: ARG002 - the port's
    ) -> LiveStatus | None:
        """Return None: nothing is known."""
        record_null(NullReason.NOT_CONFIGURED)
        return None
