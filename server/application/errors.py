"""The errors with which a request for a call can end."""


class LiveCallsError(Exception):
    """An error that is reported to callers; the message is written for them."""


class IdRequiredError(LiveCallsError):
    """The request names no id."""

    def __init__(self) -> None:
        super().__init__("The id of the call is required.")


class CallNotFoundError(LiveCallsError):
    """No call has the id."""

    def __init__(self) -> None:
        super().__init__("No call has this id.")


class CallUnreadableError(LiveCallsError):
    """The row of the call holds what no call can have."""

    def __init__(self) -> None:
        super().__init__("The call cannot be read.")


class StoreUnavailableError(LiveCallsError):
    """The store did not respond in time."""

    def __init__(self) -> None:
        super().__init__("The calls cannot be read right now. Try again shortly.")
