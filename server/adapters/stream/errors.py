"""The ways in which a question to Stream can end without an answer."""


class StreamError(Exception):
    """A question that brought no answer."""


class StreamFailedError(StreamError):
    """Stream could not be asked, or said nothing that can be used; `reason` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnusableAnswerError(StreamFailedError):
    """Stream's answer does not have its documented shape; `reason` names the field, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(f"unusable answer: {field}")


class StreamEndpointMissingError(StreamFailedError):
    """What answers has no GetCall: the address is not that of Stream's API."""

    def __init__(self) -> None:
        super().__init__("no such endpoint (status 404): is STREAM_BASE_URL right?")


class StreamCallMissingError(StreamError):
    """Stream knows no such call, or no such call type: a proper answer."""


class StreamQuestionRefusedError(StreamError):
    """Stream finds the question about this one call wrong, which says nothing of other calls."""


class StreamRateLimitedError(StreamError):
    """Stream asks to be left alone; `seconds` is for how long, where it says so."""

    def __init__(self, seconds: int | None) -> None:
        super().__init__("rate limited")
        self.seconds = seconds
