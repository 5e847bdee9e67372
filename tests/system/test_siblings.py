"""The workers of a server ask Stream once for all of them."""

from __future__ import annotations

from pathlib import Path

from livecalls.v1 import live_calls_pb2 as pb

from demo.stream_stand_in.stand_in import StreamStandIn
from tests.support.callers.worker_stubs import stubs_of
from tests.support.data.calls import CALL_ID
from tests.support.database.postgres import store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import server_of
from tests.support.stand_ins.stream import AWAITED, stream_variables

CALL = ("livestream", "call")
KEPT_LONG = {"STREAM_CACHE_TTL_MS": "120000", **AWAITED}


async def test_what_one_worker_has_asked_the_other_knows(
    deployment: Deployment,
    database_url: str,
    stream_url: str,
    stand_in: StreamStandIn,
    tmp_path: Path,
) -> None:
    store_call(database_url, stream_call_type=CALL[0], stream_call_id=CALL[1])
    stand_in.put(*CALL)
    settings = {"AUTH": "off", "DATABASE_URL": database_url, "WORKERS": "2"}
    server = server_of(
        tmp_path, {**settings, **KEPT_LONG, **stream_variables(stream_url), **deployment.settings}
    )
    try:
        async with stubs_of(server) as stubs:
            for stub in stubs:
                assert (await stub.GetCall(pb.GetCallRequest(id=CALL_ID))).live.is_live
        assert stand_in.requests == {CALL: 1}
    finally:
        assert server.stop() == 0
