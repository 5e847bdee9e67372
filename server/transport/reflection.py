"""gRPC's reflection service: what the server serves, for tools that have no .proto at hand.

Its messages are the same in v1 and in v1alpha, which older tools use. The servicer that comes with
them is not used: it has no limits, and needs gRPC's core, which has no place in Envoy's process.
"""

from collections.abc import AsyncGenerator, AsyncIterator

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import Default
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2 as pb

from server.transport.live_calls import SERVICE as LIVE_CALLS

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
METHOD = "ServerReflectionInfo"

# Callers need no token. A tool sends about ten requests, and gets some 20 KB for each.
MAX_REQUESTS = 100
"""Requests in one stream at most."""
MAX_STREAMS = 100
"""Concurrent streams at most."""


class TooMuchAskedError(Exception):
    """A limit is exceeded; the message is for the caller."""


class Reflection:
    """Describes the services by their names, and all messages that this process knows."""

    def __init__(self) -> None:
        # Without v1, which no package here describes: tools request a description of all that is named.
        self._names = sorted((LIVE_CALLS, HEALTH, SERVICES[1]))
        self._pool = Default()
        self._streams = 0

    async def server_reflection_info(
        self, requests: AsyncIterator[pb.ServerReflectionRequest]
    ) -> AsyncGenerator[pb.ServerReflectionResponse, None]:
        """Serve ServerReflectionInfo; what is not known is an error within the response.

        Raises TooMuchAskedError beyond MAX_REQUESTS, and beyond MAX_STREAMS.
        """
        if self._streams == MAX_STREAMS:
            raise TooMuchAskedError("Too many ask already. Try again later.")
        self._streams += 1
        try:
            left = MAX_REQUESTS
            async for request in requests:
                if not left:
                    raise TooMuchAskedError("Too much is asked in one stream. Begin another.")
                left -= 1
                yield self._answer(request)
        finally:
            self._streams -= 1

    def _answer(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        try:
            answer = self._look_up(request)
        except KeyError:
            answer = _error(code_pb2.NOT_FOUND, "not found")
        answer.valid_host = request.host
        answer.original_request.CopyFrom(request)
        return answer

    def _look_up(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        match request.WhichOneof("message_request"):
            case "list_services":
                return self._services()
            case "file_by_filename":
                return _files(self._pool.FindFileByName(request.file_by_filename))
            case "file_containing_symbol":
                return _files(self._file_of_symbol(request.file_containing_symbol))
            case "file_containing_extension":
                return _files(self._file_of_extension(request.file_containing_extension))
            case "all_extension_numbers_of_type":
                return self._extensions(request.all_extension_numbers_of_type)
        return _error(code_pb2.INVALID_ARGUMENT, "nothing is asked")

    def _services(self) -> pb.ServerReflectionResponse:
        services = [pb.ServiceResponse(name=name) for name in self._names]
        return pb.ServerReflectionResponse(
            list_services_response=pb.ListServiceResponse(service=services)
        )

    def _file_of_symbol(self, name: str) -> FileDescriptor:
        try:
            return self._pool.FindFileContainingSymbol(name)
        except KeyError:  # of all symbols, methods are those that the pool does not look for
            return self._pool.FindMethodByName(name).containing_service.file

    def _file_of_extension(self, asked: pb.ExtensionRequest) -> FileDescriptor:
        extended = self._pool.FindMessageTypeByName(asked.containing_type)
        extension = self._pool.FindExtensionByNumber(extended, asked.extension_number)
        return self._pool.FindFileContainingSymbol(extension.full_name)

    def _extensions(self, name: str) -> pb.ServerReflectionResponse:
        extended = self._pool.FindMessageTypeByName(name)
        numbers = sorted(extension.number for extension in self._pool.FindAllExtensions(extended))
        return pb.ServerReflectionResponse(
            all_extension_numbers_response=pb.ExtensionNumberResponse(
                base_type_name=name, extension_number=numbers
            )
        )


def _files(file: FileDescriptor) -> pb.ServerReflectionResponse:
    """Return a file and all that it imports, of which each is needed to read it."""
    needed: dict[str, bytes] = {}
    _gather(file, needed)
    return pb.ServerReflectionResponse(
        file_descriptor_response=pb.FileDescriptorResponse(file_descriptor_proto=needed.values())
    )


def _gather(file: FileDescriptor, needed: dict[str, bytes]) -> None:
    if file.name not in needed:
        needed[file.name] = file.serialized_pb
        for imported in file.dependencies:
            _gather(imported, needed)


def _error(code: int, words: str) -> pb.ServerReflectionResponse:
    return pb.ServerReflectionResponse(
        error_response=pb.ErrorResponse(error_code=code, error_message=words)
    )
