"""Reads the response of an issuer: its size, its encoding, and whether it is JSON at all."""

import zlib
from http import HTTPStatus

import httpx

from server.auth.issuer_errors import IssuerError, read_retry_after

MAX_BYTES = 256 * 1024
"""Bytes of a response that are read at most, packed and unpacked; a key takes some 500."""

_PACKED = ("gzip", "x-gzip", "deflate")
_BOM = b"\xef\xbb\xbf"
_MAX_CONTENT_TYPE = 60


def without_bom(document: bytes) -> bytes:
    """Drop the byte order mark, which JSON should not have and some programs write (RFC 8259, 8.1)."""
    return document.removeprefix(_BOM)


async def read_answer(response: httpx.Response) -> bytes:
    """Read a JSON object with status 200, unpacked and within bounds; raises IssuerError."""
    if response.status_code != HTTPStatus.OK:
        raise _status_error(response)
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_BYTES:
            raise IssuerError("too large")
    packing = response.headers.get("content-encoding", "").strip().lower()
    document = without_bom(_unpack(body, packing))
    if not document.lstrip().startswith(b"{"):
        raise IssuerError(f"no JSON object but {_content_type(response)}")
    return document


def _status_error(response: httpx.Response) -> IssuerError:
    status = response.status_code
    reason = f"status {status}"
    if response.has_redirect_location:
        reason += ": redirects are not followed"
    return IssuerError(
        reason, status=status, retry_after=read_retry_after(response.headers.get("retry-after"))
    )


def _unpack(body: bytes, packing: str) -> bytes:
    if packing in ("", "identity"):
        return body
    if packing not in _PACKED:
        raise IssuerError("packed in another way than gzip")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever it is
    try:
        document = unpacking.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise IssuerError("no gzip, although it should be") from error
    if len(document) > MAX_BYTES:
        raise IssuerError("too large")
    if not unpacking.eof:
        raise IssuerError("cut off")
    return document


def _content_type(response: httpx.Response) -> str:
    kind: str = response.headers.get("content-type", "").partition(";")[0].strip()
    return kind[:_MAX_CONTENT_TYPE] or "something without a content type"
