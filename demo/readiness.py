"""Whether both APIs respond."""

import socket
import ssl
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc


def listens(address: str) -> bool:
    """Return whether anybody accepts connections at a host and port."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def rest_answers(url: str, token: str | None = None, ca_file: Path | None = None) -> bool:
    """Return whether a server responds through the gateway, if only that a token or call is missing."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        status = _rest_client(ca_file).get(url, headers=headers).status_code
    except httpx.TransportError:
        return False
    # A database of one's own has none of the sample calls.
    answers = httpx.codes.OK, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND
    return status in answers


@cache
def _rest_client(ca_file: Path | None) -> httpx.Client:
    """Make a client that connects anew for each request; loading the CAs takes 25 ms."""
    trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
    return httpx.Client(timeout=1, verify=trusted, limits=httpx.Limits(max_keepalive_connections=0))


def grpc_answers(address: str, credentials: grpc.ChannelCredentials | None = None) -> bool:
    """Return whether the server's health is SERVING."""
    with open_channel(address, credentials) as channel:
        try:
            reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def open_channel(address: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
    """Open a channel over TLS, or in plain text without credentials."""
    return grpc.secure_channel(address, credentials) if credentials else grpc.insecure_channel(address)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; return whether it did within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
