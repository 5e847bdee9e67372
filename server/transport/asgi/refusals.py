"""Why a request never reaches a method, with the messages of gRPC's core, which clients know."""

from google.rpc import code_pb2

MAX_MESSAGE_BYTES = 64 * 1024
"""What a request may have, compressed or not, as in aio.server.OPTIONS."""

ENCODINGS = b"identity, deflate, gzip"


class RefusedError(Exception):
    """A request that is rejected with a status: a google.rpc.Code, a message, and more headers."""

    def __init__(self, code: int, message: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers


class NotGrpcError(Exception):
    """A request that is not gRPC at all, rejected by an HTTP status alone."""

    def __init__(self, status: int, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers


def malformed_header(name: str, why: str = "") -> RefusedError:
    """Reject a header that cannot be read."""
    return RefusedError(code_pb2.INTERNAL, f"Error parsing '{name}' metadata{why}")


def malformed_message(why: str) -> RefusedError:
    """Reject a body that is not made of messages."""
    return RefusedError(code_pb2.INTERNAL, why)


def too_large(announced: int) -> RefusedError:
    """Reject a message for the length it announces, in bytes."""
    why = f"SERVER: Received message larger than max ({announced} vs. {MAX_MESSAGE_BYTES})"
    return RefusedError(code_pb2.RESOURCE_EXHAUSTED, why)


def too_large_inside() -> RefusedError:
    """Reject a message that is too long once it is decompressed."""
    return RefusedError(code_pb2.RESOURCE_EXHAUSTED, "Decompressed message larger than max")


def too_many_watchers() -> RefusedError:
    """Reject one more watcher."""
    return RefusedError(code_pb2.RESOURCE_EXHAUSTED, "Too many watch already. Try again later.")


def unknown_method() -> RefusedError:
    """Reject a path that names no method."""
    return RefusedError(code_pb2.UNIMPLEMENTED, "Method not found!")


def unknown_encoding() -> RefusedError:
    """Reject a compression and list those that are supported, as the protocol demands."""
    why = "The compression of the request is not known here: send it by gzip, by deflate, or as it is."
    return RefusedError(code_pb2.UNIMPLEMENTED, why, (b"grpc-accept-encoding", ENCODINGS))


def not_one_message() -> RefusedError:
    """Reject a body of no message or many instead of one (gRPC, statuscodes.md: cardinality)."""
    return RefusedError(code_pb2.UNIMPLEMENTED, "The method takes exactly one message.")


def not_serving() -> RefusedError:
    """Reject what comes before the start or after the end."""
    return RefusedError(code_pb2.UNAVAILABLE, "The server does not serve.")


def cancelled() -> RefusedError:
    """End a call that is cancelled because the server stops."""
    return RefusedError(code_pb2.CANCELLED, "CANCELLED")


def fault() -> RefusedError:
    """End a call that met a bug of ours outside of its method."""
    return RefusedError(code_pb2.INTERNAL, "The server failed to answer.")


def too_late() -> RefusedError:
    """Reject a request whose deadline has passed."""
    return RefusedError(code_pb2.DEADLINE_EXCEEDED, "Deadline Exceeded")
