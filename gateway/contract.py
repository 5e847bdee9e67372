"""The contract as the gateway reads it: the descriptors that protoc made of the proto."""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet

_HERE = Path(__file__).resolve().parent
# Beside this file once installed, for pyproject.toml puts it there.
_INSTALLED = _HERE / "livecalls.binpb"
_GENERATED = _HERE.parent / "generated" / "descriptors" / "livecalls.binpb"

DESCRIPTORS = _INSTALLED if _INSTALLED.exists() else _GENERATED
"""The file of the descriptors."""


def grpc_methods() -> list[dict[str, Any]]:
    """List each service and its methods, as Envoy's GrpcMethodList has them."""
    files = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()).file
    return [
        {"name": f"{file.package}.{service.name}", "method_names": [it.name for it in service.method]}
        for file in files
        for service in file.service
    ]
