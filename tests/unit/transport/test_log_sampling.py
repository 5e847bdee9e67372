"""Which requests are logged if only a fraction of the successes is to be."""

import logging
from collections import Counter
from uuid import uuid4

import pytest
from google.rpc import code_pb2

from server.transport.access_log import AccessLog
from server.transport.metrics import MethodMetrics

GET_CALL = MethodMetrics("livecalls.v1.LiveCalls", "GetCall")
# By the digits that a UUID begins with, of 2^32, as Envoy's sampling has it.
LOW, HIGH = "00000000-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "000f423f-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


async def logged(
    caplog: pytest.LogCaptureFixture, ratio: float, *requests: tuple[int, str]
) -> list[tuple[str, str]]:
    access_log = AccessLog(ratio)
    for code, request_id in requests:
        access_log.note(GET_CALL, code, 0.001, request_id)
    access_log.close()
    lines = map(vars, caplog.records)
    return [(line["code"], line["request_id"]) for line in lines]


@pytest.mark.parametrize("code", [code_pb2.OK, code_pb2.NOT_FOUND])
async def test_of_answers_the_fraction_is_logged(caplog: pytest.LogCaptureFixture, code: int) -> None:
    lines = await logged(caplog, 0.5, *((code, str(uuid4())) for _ in range(10_000)))
    assert 4_500 < len(lines) < 5_500


@pytest.mark.parametrize("code", sorted(set(code_pb2.Code.values()) - {code_pb2.OK, code_pb2.NOT_FOUND}))
async def test_every_error_is_logged(caplog: pytest.LogCaptureFixture, code: int) -> None:
    requests = [(code, request_id) for request_id in (LOW, HIGH, "odd")]
    assert len(await logged(caplog, 0, *requests)) == 3


async def test_it_is_the_request_id_that_decides(caplog: pytest.LogCaptureFixture) -> None:
    requests = [(code_pb2.OK, request_id) for request_id in (LOW, HIGH) * 10]
    assert await logged(caplog, 0.000_001, *requests) == [("OK", LOW)] * 10


@pytest.mark.parametrize("request_id", ["no-uuid-at-all", "short", "1"])
async def test_a_caller_s_own_kind_of_id_is_sampled_at_random(
    caplog: pytest.LogCaptureFixture, request_id: str
) -> None:
    lines = await logged(caplog, 0.5, *[(code_pb2.OK, request_id)] * 10_000)
    assert 4_500 < Counter(lines)["OK", request_id] < 5_500


@pytest.mark.parametrize(("ratio", "number"), [(0, 0), (1, 100)])
async def test_none_or_all_of_the_answers_are_logged(
    caplog: pytest.LogCaptureFixture, ratio: float, number: int
) -> None:
    requests = [(code_pb2.OK, str(uuid4())) for _ in range(100)]
    assert len(await logged(caplog, ratio, *requests)) == number
