"""A real Envoy with an embedded server that forwards to a scripted one."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.support.envoy import forwarding_application
from tests.support.envoy.gateway import Gateway, gateway_with_application


def gateway_forwarding(grpc_port: int, folder: Path, **settings: str) -> AbstractContextManager[Gateway]:
    """Run a gateway that forwards to the server at a gRPC port, while the block lasts."""
    application = f"{forwarding_application.__name__}:application"
    port = {forwarding_application.PORT: str(grpc_port)}
    return gateway_with_application(application, folder, **port, **settings)
