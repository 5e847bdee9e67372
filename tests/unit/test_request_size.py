"""The size limit of a request is one: another one reaches all who enforce it."""

import json
import subprocess
import sys
from typing import Any

import pytest

# In a process of its own, in which nobody has read the limit yet.
ENFORCED = """
import asyncio
import json
import zlib

from machine import request_size

request_size.MAX_REQUEST_BYTES = 100_000

from gateway import limits
from gateway.config import GatewaySettings
from gateway.render import render
from server.transport.aio.server import OPTIONS
from server.transport.asgi.compression import decompress
from server.transport.asgi.framing import Messages, frame
from server.transport.asgi.rejections import RejectedError
from tests.support.envoy.envoy_configuration import EnvoyConfiguration


def asgi(size):
    async def receive():
        return {"type": "http.request", "body": frame(bytes(size))}

    return rejection(lambda: asyncio.run(Messages(receive, b"identity").the_one()))


def asgi_deflate(size):
    return rejection(lambda: decompress(zlib.compress(bytes(size)), b"deflate"))


def rejection(read):
    try:
        read()
    except RejectedError as error:
        return error.message


envoy = EnvoyConfiguration(render(GatewaySettings(), {}))
(listener,) = envoy.tree["static_resources"]["listeners"]
print(json.dumps({
    "aio": dict(OPTIONS)["grpc.max_receive_message_length"],
    "asgi": [asgi(100_000), asgi(100_001)],
    "asgi, compressed": [asgi_deflate(100_000), asgi_deflate(100_001)],
    "envoy": listener["per_connection_buffer_limit_bytes"],
    "envoy, by HTTP/2": envoy.http["http2_protocol_options"]["initial_stream_window_size"],
    "envoy, half a request": limits._CONNECTION_BYTES,
}))
"""


@pytest.fixture(scope="module")
def enforced() -> Any:
    return json.loads(subprocess.check_output([sys.executable, "-c", ENFORCED]))


def test_grpc_aio_enforces_it(enforced: Any) -> None:
    assert enforced["aio"] == 100_000


def test_grpc_over_asgi_enforces_it(enforced: Any) -> None:
    too_large = "SERVER: Received message larger than max (100001 vs. 100000)"
    assert enforced["asgi"] == [None, too_large]
    assert enforced["asgi, compressed"] == [None, "Decompressed message larger than max"]


def test_envoy_enforces_it_and_bounds_connections_by_it(enforced: Any) -> None:
    assert enforced["envoy"] == 100_000
    assert enforced["envoy, by HTTP/2"] == 100_000
    assert enforced["envoy, half a request"] == 100_000 + 32 * 1024
