"""How much memory of odd rows a server keeps."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.postgres import EmbeddedPostgres
from tests.support.callers.steady_stream import PATIENT
from tests.support.data.calls import numbered_id
from tests.support.database.postgres import execute
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Stack, stack_running

MIB = 1 << 20
ROWS = 300
MAX_KEPT = 100 * MIB
# As in a database whose constraints somebody dropped.
LONG_TITLES = f"""
ALTER TABLE calls DROP CONSTRAINT IF EXISTS ck_calls_title_length;
INSERT INTO calls (id, host_user_id, title)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'coach-1', n || repeat('x', {MIB})
FROM generate_series(1, {ROWS}) n
"""


@pytest.fixture
def stack(
    deployment: Deployment, shared_postgres: EmbeddedPostgres, database_url: str, tmp_path: Path
) -> Iterator[Stack]:
    """Everything in parts of its own, with long titles in the database."""
    execute(database_url, LONG_TITLES)
    settings = {"DATABASE_URL": database_url, **PATIENT, **deployment.settings}
    with stack_running(shared_postgres, tmp_path, **settings) as stack:
        yield stack


def test_long_titles_do_not_stay_in_memory(stack: Stack) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{stack.server.port}") as channel:
        calls = LiveCallsStub(channel)
        read(calls, 1)
        before = resident_bytes(stack)
        for number in range(1, ROWS + 1):
            assert len(read(calls, number).title) > MIB
        kept = resident_bytes(stack) - before
    assert kept < MAX_KEPT, f"{kept / MIB:.0f} MiB"


def read(calls: LiveCallsStub, number: int) -> pb.Call:
    return calls.GetCall(pb.GetCallRequest(id=numbered_id(number)), timeout=30)


def resident_bytes(stack: Stack) -> int:
    """Add up the memory of the server's processes, Envoy included if it is embedded."""
    processes = [stack.server.process, *stack.server.process.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes)
