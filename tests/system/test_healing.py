"""What dies is restarted, and callers succeed again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from demo.readiness import wait_until
from tests.support.server.demo import RunningDemo
from tests.support.server.deployments import Deployment


@contextmanager
def trickle(demo: RunningDemo) -> Iterator[list[int]]:
    """Send requests again and again while the block lasts; yield the statuses of the responses."""
    statuses: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=10, headers=demo.bearer) as client:
            while not over.wait(0.02):
                statuses.append(status_of(client, demo.call_url(2)))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield statuses
    finally:
        over.set()
        asking.join()


def status_of(client: httpx.Client, url: str) -> int:
    try:
        return client.get(url).status_code
    except httpx.TransportError:
        return 0


def on_air(demo: RunningDemo) -> bool:
    """Return whether every part of the demo contributes to a response."""
    try:
        reply = httpx.get(demo.call_url(2), headers=demo.bearer, timeout=10)
    except httpx.TransportError:
        return False
    return reply.status_code == 200 and reply.json()["live"] is not None


@pytest.mark.parametrize(
    ("part", "told", "may_answer"),
    [
        ("-D", "The database ended (-9); starting it again", {200, 503, 504}),
        ("stream-stand-in", "The Stream stand-in ended (-9); starting it again", {200}),
        ("serve", "The server ended (-9); starting it again", {200, 503, 504}),
        ("--config-yaml", "The gateway ended (137); starting it again", {200, 0}),
    ],
    ids=["PostgreSQL", "Stream stand-in", "server", "gateway"],
)
def test_a_killed_part_comes_back(
    deployment: Deployment, demo: RunningDemo, part: str, told: str, may_answer: set[int]
) -> None:
    if (deployment, part) == (Deployment.EMBEDDED, "serve"):
        # Its Envoy dies with it; standalone, Envoy would report an unavailable server.
        may_answer = {200, 0}
    assert wait_until(lambda: on_air(demo), 20)
    killed = demo.part(part)
    assert killed
    with trickle(demo) as statuses:
        assert wait_until(lambda: 200 in statuses, 20)
        killed.kill()
        assert wait_until(lambda: (demo.part(part) or killed) != killed, 20), demo.output()
        asked = len(statuses)
        assert wait_until(lambda: on_air(demo) and 200 in statuses[asked:], 30), demo.output()
    assert set(statuses) <= may_answer
    # The server's own supervisor starts an Envoy again with the server embedded.
    told_here = (deployment, part) != (Deployment.EMBEDDED, "--config-yaml")
    assert demo.output().splitlines().count(told) == told_here
    assert demo.process.poll() is None
