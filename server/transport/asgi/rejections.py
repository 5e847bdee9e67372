"""Why a request never reaches a method, with the messages of gRPC's core, which clients know."""

from google.rpc import code_pb2

from machine.request_size import MAX_REQUEST_BYTES

ENCODINGS = b"identity, deflate, gzip"


class RejectedError(Exception):
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


def malformed_header(name: str, why: str = "") -> RejectedError:
    """Reject a header that cannot be read."""
    return RejectedError(code_pb2.INTERNAL, f"Error parsing '{name}' metadata{why}")


def malformed_message(why: str) -> RejectedError:
    """Reject a body that is not made of messages."""
    return RejectedError(code_pb2.INTERNAL, why)


def too_large(announced: int) -> RejectedError:
    """Reject a message for the length it announces, in bytes."""
    why = f"SERVER: Received message larger than max ({announced} vs. {MAX_REQUEST_BYTES})"
    return RejectedError(code_pb2.RESOURCE_EXHAUSTED, why)


def too_large_decompressed() -> RejectedError:
    """Reject a message that is too long once it is decompressed."""
    return RejectedError(code_pb2.RESOURCE_EXHAUSTED, "Decompressed message larger than max")


def too_many_watchers() -> RejectedError:
    """Reject one more watcher."""
    return RejectedError(code_pb2.RESOURCE_EXHAUSTED, "Too many watch already. Try again later.")


def unknown_method() -> RejectedError:
    """Reject a path that names no method."""
    return RejectedError(code_pb2.UNIMPLEMENTED, "Method not found!")


def unknown_encoding() -> RejectedError:
    """Reject a compression and list those that are supported, as the protocol demands."""
    why = "The compression of the request is not known here: send it by gzip, by deflate, or as it is."
    return RejectedError(code_pb2.UNIMPLEMENTED, why, (b"grpc-accept-encoding", ENCODINGS))


def not_one_message() -> RejectedError:
    """Reject a body of no message or many instead of one (gRPC, statuscodes.md: cardinality)."""
    return RejectedError(code_pb2.UNIMPLEMENTED, "The method takes exactly one message.")


def not_serving() -> RejectedError:
    """Reject what comes before the start or after the end."""
    return RejectedError(code_pb2.UNAVAILABLE, "The server does not serve.")


def cancellation() -> RejectedError:
    """End a call that is cancelled because the server stops."""
    return RejectedError(code_pb2.CANCELLED, "CANCELLED")


def fault() -> RejectedError:
    """End a call that met a bug of ours outside of its method."""
    return RejectedError(code_pb2.INTERNAL, "The server failed to answer.")


def too_late() -> RejectedError:
    """Reject a request whose deadline has passed."""
    return RejectedError(code_pb2.DEADLINE_EXCEEDED, "Deadline Exceeded")
