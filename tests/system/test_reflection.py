"""Reflection, as tools use it that do not know the contract."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from server.transport.reflection import MAX_STREAMS, SERVICES
from tests.support.server.demo import RunningDemo
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack

BUF = str(Path(sys.executable).with_name("buf"))
PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
CURL = [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge"]


def list_methods(address: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*CURL, "--list-methods", f"http://{address}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("face", ["straight", "through Envoy"])
def test_buf_curl_lists_the_methods_without_a_token(demo: RunningDemo, face: str) -> None:
    port = demo.grpc_port if face == "straight" else demo.rest_port
    listed = list_methods(f"127.0.0.1:{port}")
    assert listed.returncode == 0, listed.stderr
    assert "livecalls.v1.LiveCalls/GetCall" in listed.stdout.splitlines()


@pytest.mark.parametrize("face", ["straight", "through Envoy"])
def test_what_the_page_shows_works(demo: RunningDemo, face: str) -> None:
    port = demo.grpc_port if face == "straight" else demo.rest_port
    (shown,) = re.findall(r"^\$ (buf curl (?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
    token = demo.bearer["authorization"].removeprefix("Bearer ")
    asked = subprocess.run(
        ["bash", "-c", shown.replace("buf curl", f"{BUF} curl").replace(":50051/", f":{port}/")],
        env={"ACCESS_TOKEN": token, "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    assert '"title": "Strength class"' in asked.stdout


def test_nothing_is_told_unless_the_setting_says_so(stack: Stack) -> None:
    for address in stack.grpc_addresses:
        refused = list_methods(address)
        assert refused.returncode != 0
        assert "LiveCalls" not in refused.stdout


def opened(channel: grpc.aio.Channel) -> grpc.aio.StreamStreamCall[bytes, bytes]:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
        f"/{SERVICES[0]}/ServerReflectionInfo"
    )
    return method()


async def is_open(stream: grpc.aio.StreamStreamCall[bytes, bytes]) -> bool:
    try:
        await stream.write(ServerReflectionRequest(list_services="").SerializeToString())
        answer = await stream.read()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    if not isinstance(answer, bytes):
        return False
    return bool(ServerReflectionResponse.FromString(answer).list_services_response.service)


async def bounds_reached(demo: RunningDemo, caller: httpx.AsyncClient) -> list[str]:
    """List whose bounds of requests under way are reached at Envoy: `default`, or `high`."""
    (admin,) = re.findall(r"(http://\S+) \(its admin page\)", demo.output())
    stats = (await caller.get(f"{admin}/stats?filter=livecalls.circuit_breakers.*.rq_open")).text
    return re.findall(r"(\w+)\.rq_open: 1", stats)


async def test_who_keeps_streams_open_takes_nothing_from_callers(
    deployment: Deployment, demo: RunningDemo
) -> None:
    own = [("grpc.use_local_subchannel_pool", 1)]
    address = f"127.0.0.1:{demo.rest_port}"
    async with (
        grpc.aio.insecure_channel(address, own) as one,
        grpc.aio.insecure_channel(address, own) as another,
    ):
        streams = [opened(channel) for channel in (one, another) for _ in range(MAX_STREAMS // 2 + 10)]
        still_open = [await is_open(stream) for stream in streams]
        assert still_open.count(True) == MAX_STREAMS
        async with httpx.AsyncClient(headers=demo.bearer) as caller:
            assert (await caller.get(demo.call_url(2))).status_code == 200
            assert await bounds_reached(demo, caller) == (
                ["high"] if deployment is Deployment.STANDALONE else []
            )
        for stream in streams:
            stream.cancel()
