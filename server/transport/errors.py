"""Maps the exceptions of methods to gRPC statuses; the only place that does."""

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.code_pb2 import (
    INTERNAL,
    INVALID_ARGUMENT,
    NOT_FOUND,
    PERMISSION_DENIED,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNAVAILABLE,
)
from google.rpc.error_details_pb2 import ErrorInfo, RequestInfo, RetryInfo
from google.rpc.status_pb2 import Status

from server.application.errors import (
    CallNotFoundError,
    CallUnreadableError,
    IdRequiredError,
    LiveCallsError,
    StoreUnavailableError,
)
from server.auth.errors import (
    IntrospectionUnavailableError,
    KeysUnavailableError,
    ScopesMissingError,
    TokenRefusedError,
    TokenRequiredError,
)

DOMAIN = "livecalls.v1"


class MalformedRequestError(LiveCallsError):
    """The request's bytes are not the protobuf message that the method takes, whose name this has."""

    def __init__(self, message_name: str) -> None:
        super().__init__(f"The request is not a {message_name} message.")


class TooBusyError(LiveCallsError):
    """The limit of concurrent requests is reached."""

    def __init__(self) -> None:
        super().__init__("Too many requests are under way. Try again shortly.")


_OUTCOMES: dict[type[Exception], tuple[int, str]] = {
    IdRequiredError: (INVALID_ARGUMENT, "ID_REQUIRED"),
    MalformedRequestError: (INVALID_ARGUMENT, "MALFORMED_REQUEST"),
    CallNotFoundError: (NOT_FOUND, "CALL_NOT_FOUND"),
    CallUnreadableError: (INTERNAL, "INTERNAL_FAULT"),
    StoreUnavailableError: (UNAVAILABLE, "STORE_UNAVAILABLE"),
    TooBusyError: (RESOURCE_EXHAUSTED, "TOO_BUSY"),
    TokenRequiredError: (UNAUTHENTICATED, "TOKEN_REQUIRED"),
    TokenRefusedError: (UNAUTHENTICATED, "TOKEN_INVALID"),
    ScopesMissingError: (PERMISSION_DENIED, "SCOPE_MISSING"),
    KeysUnavailableError: (UNAVAILABLE, "KEYS_UNAVAILABLE"),
    IntrospectionUnavailableError: (UNAVAILABLE, "INTROSPECTION_UNAVAILABLE"),
}
_BEARER = 'Bearer realm="livecalls"'
_RETRY_AFTER = RetryInfo(retry_delay=Duration(seconds=1))


def reason_of(error: type[Exception]) -> str:
    """Return the reason that callers get for an exception of a type."""
    return _outcome_of(error)[1]


def _outcome_of(error: type[Exception]) -> tuple[int, str]:
    return _OUTCOMES.get(error, (INTERNAL, "INTERNAL_FAULT"))


def to_status(error: Exception, request_id: str) -> Status:
    """Convert an exception to a status for callers, which has nothing of a bug but the request's id."""
    code, reason = _outcome_of(type(error))
    message = "The server failed to answer." if code == INTERNAL else str(error)
    details: list[Message] = [ErrorInfo(reason=reason, domain=DOMAIN)]
    if code in (UNAVAILABLE, RESOURCE_EXHAUSTED):
        details.append(_RETRY_AFTER)
    if code == INTERNAL:
        details.append(RequestInfo(request_id=request_id))
    return Status(code=code, message=message, details=[_pack(detail) for detail in details])


def challenge(error: Exception) -> str | None:
    """Return the WWW-Authenticate challenge, if the caller must authenticate (RFC 6750, section 3)."""
    match error:
        case TokenRequiredError():
            return _BEARER
        case TokenRefusedError():
            return f'{_BEARER}, error="invalid_token"'
        case ScopesMissingError(required=scopes):
            return f'{_BEARER}, error="insufficient_scope", scope="{" ".join(sorted(scopes))}"'
    return None


def _pack(detail: Message) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed
