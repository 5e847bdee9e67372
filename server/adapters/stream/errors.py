"""The errors with which a request to Stream can end."""


class StreamError(Exception):
    """A request that brought no live status."""


class StreamFailedError(StreamError):
    """The request failed, or its response is unusable; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StreamResponseTooLargeError(StreamFailedError):
    """The response's body is larger than what is read."""

    def __init__(self) -> None:
        super().__init__("response too large")


class UnreadableResponseError(StreamFailedError):
    """The response is not what Stream documents; that of many calls may be so for one of them."""


class UnusableResponseError(UnreadableResponseError):
    """Stream's response lacks its documented shape; `reason` names the field, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(f"unusable response: {field}")


class StreamEndpointNotFoundError(StreamFailedError):
    """The server has no GetCall: the address is not that of Stream's API."""

    def __init__(self) -> None:
        super().__init__("no such endpoint (status 404): is STREAM_BASE_URL right?")


class StreamCallNotFoundError(StreamError):
    """Stream knows no such call, or no such call type: a proper response."""


class StreamRequestRejectedError(StreamError):
    """Stream rejects the request for this one call, which implies nothing for other calls."""


class StreamRateLimitedError(StreamError):
    """Stream rate limits; `seconds` is for how long, None if it does not specify that."""

    def __init__(self, seconds: int | None) -> None:
        super().__init__("rate limited")
        self.seconds = seconds
