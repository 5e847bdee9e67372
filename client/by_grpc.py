"""The gRPC client."""

import grpc
from livecalls.v1.live_calls_pb2 import GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from client.caller import (
    CallerError,
    CallNotFoundError,
    ServiceFailedError,
    TokenRefusedError,
    UnavailableError,
)
from client.rest_json import to_json
from client.settings import CallerSettings
from client.tls import make_ssl_context

# After an outage the channel reconnects within a second, rather than within two minutes.
_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 1000))
_KINDS: dict[grpc.StatusCode, type[CallerError]] = {
    grpc.StatusCode.NOT_FOUND: CallNotFoundError,
    grpc.StatusCode.UNAUTHENTICATED: TokenRefusedError,
    grpc.StatusCode.PERMISSION_DENIED: TokenRefusedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: UnavailableError,
    grpc.StatusCode.CANCELLED: UnavailableError,
}


class GrpcCaller:
    """A Caller by gRPC, over TLS if the settings have a CA; the timeout is in seconds."""

    def __init__(self, address: str, settings: CallerSettings, timeout: float) -> None:
        credentials = _credentials(settings)
        self._channel = (
            grpc.secure_channel(address, credentials, _OPTIONS)
            if credentials
            else grpc.insecure_channel(address, _OPTIONS)
        )
        self._stub = LiveCallsStub(self._channel)
        self._metadata = tuple(settings.bearer.items())
        self._timeout = timeout

    def ask(self, call_id: str) -> str:
        try:
            call = self._stub.GetCall(
                GetCallRequest(id=call_id), timeout=self._timeout, metadata=self._metadata
            )
        except grpc.RpcError as error:
            kind = _KINDS.get(error.code(), ServiceFailedError)
            raise kind(error.details() or error.code().name) from None
        return to_json(call)

    def close(self) -> None:
        self._channel.close()


def _credentials(settings: CallerSettings) -> grpc.ChannelCredentials | None:
    if settings.tls_ca_file is None:
        return None
    make_ssl_context(settings)  # with bad files gRPC would only report that the server is unavailable
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    return grpc.ssl_channel_credentials(
        settings.tls_ca_file.read_bytes(),
        key.read_bytes() if key else None,
        certificate.read_bytes() if certificate else None,
    )
