"""The gRPC call that an ASGI request carries."""

import math
from collections.abc import Sequence
from time import perf_counter

from server.transport.asgi.compression import check_encoding
from server.transport.asgi.headers import check_binary, decode, parse_timeout
from server.transport.asgi.rejections import ENCODINGS, NotGrpcError, malformed_header, too_late
from server.transport.asgi.types import Headers
from server.transport.call_context import REQUEST_ID_KEY, request_id_of

# gRPC's own, which no method sees.
_RESERVED = ("te", "content-type")
_RESERVED_PREFIX = "grpc-"
_CONTENT_TYPES = (b"application/grpc", b"application/grpc+proto")


class AsgiCall:
    """The CallContext of a call over ASGI.

    Making it raises NotGrpcError if the HTTP method or the content type is not gRPC's, and RejectedError
    if a header is malformed.
    """

    __slots__ = (
        *("_deadline", "_headers", "_values"),
        *("began", "client", "encoding", "reply_encoding", "request_id"),
    )

    def __init__(self, verb: str, headers: Headers) -> None:
        self.began = perf_counter()
        self._headers = headers
        self._values = values = dict(headers)
        _check_grpc(verb, values.get(b"content-type", b""))
        self._deadline = self.began + _timeout(values)
        # The host leaves the trailers, and with them the status, out of replies to others.
        if values.get(b"te") != b"trailers":
            raise malformed_header("te")
        check_binary(values, headers)
        self.encoding = values.get(b"grpc-encoding", b"identity")
        if self.encoding != b"identity":
            check_encoding(self.encoding)
        self.reply_encoding = self._answer_to(self.encoding)
        self.request_id = request_id_of(self.values(REQUEST_ID_KEY))
        self.client: str | None = None

    def values(self, key: str) -> Sequence[str | bytes]:
        name = key.encode()
        if name not in self._values or key in _RESERVED or key.startswith(_RESERVED_PREFIX):
            return ()
        if len(self._values) == len(self._headers):
            return decode(name, self._values[name])
        return [
            value for other, header in self._headers if other == name for value in decode(name, header)
        ]

    def time_left(self) -> float:
        return self._deadline - perf_counter()

    def _answer_to(self, encoding: bytes) -> bytes:
        """Compress for callers who compress, unless they do not accept it; others gain nothing by it."""
        if encoding == b"identity":
            return encoding
        accepted = self._values.get(b"grpc-accept-encoding", ENCODINGS)
        return encoding if encoding in map(bytes.strip, accepted.split(b",")) else b"identity"


def _check_grpc(verb: str, content_type: bytes) -> None:
    if verb != "POST":
        raise NotGrpcError(405, (b"allow", b"POST"))
    if content_type not in _CONTENT_TYPES and content_type.split(b";")[0].rstrip() not in _CONTENT_TYPES:
        raise NotGrpcError(415)


def _timeout(values: dict[bytes, bytes]) -> float:
    header = values.get(b"grpc-timeout")
    if header is None:
        return math.inf
    timeout = parse_timeout(header)
    if timeout == 0:
        raise too_late()
    return timeout
