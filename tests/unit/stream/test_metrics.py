import asyncio

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
)
from server.adapters.stream.unconfigured import Unconfigured
from tests.support.callers.metrics import Series, growing, own_metrics
from tests.support.stand_ins.scripted_stream import CALL, OTHER, ScriptedStream, ask, best_effort

AGE = {"livecalls_live_status_age_seconds_count": 1.0}


def status(outcome: str) -> Series:
    return {f'livecalls_live_statuses_total{{outcome="{outcome}"}}': 1, **AGE}


def null(reason: str) -> Series:
    return {
        'livecalls_live_statuses_total{outcome="null"}': 1,
        f'livecalls_live_statuses_null_total{{reason="{reason}"}}': 1,
    }


def request(outcome: str, endpoint: str = "GetCall") -> Series:
    return {
        f'livecalls_stream_requests_total{{endpoint="{endpoint}",outcome="{outcome}"}}': 1,
        "livecalls_stream_request_seconds_count": 1,
    }


async def test_a_status_is_fetched_and_then_cached(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    with growing({**status("fetched"), **request("found")}):
        await ask(asked)
    with growing(status("cached")):
        await ask(asked)


async def test_those_who_come_meanwhile_share_it(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.05)
    assert own_metrics()["livecalls_stream_requests_in_flight"] == 1
    grown = {**status("fetched"), **status("shared"), **request("found")}
    grown["livecalls_live_status_age_seconds_count"] = 2
    with growing(grown):
        await ask(asked)
        await first
    assert own_metrics()["livecalls_stream_requests_in_flight"] == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StreamCallNotFoundError(), "not_found"),
        (StreamRequestRejectedError(), "rejected"),
        (StreamRateLimitedError(5), "rate_limited"),
        (StreamFailedError("status 500"), "failed"),
        (StreamFailedError("timeout"), "timeout"),
        (ZeroDivisionError(), "failed"),
    ],
)
async def test_a_null_counts_by_its_reason_while_it_is_cached_too(
    stream: ScriptedStream, error: Exception, reason: str
) -> None:
    stream.says = error
    asked = best_effort(stream)
    with growing({**null(reason), **request(reason)}):
        await ask(asked)
    with growing(null(reason)):
        await ask(asked)


async def test_a_caller_who_waits_in_vain_counts_before_the_request(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    with growing(null("timeout")):
        await ask(asked)
    with growing(request("timeout")):
        await asyncio.sleep(1)


async def test_who_has_no_time_left_counts(stream: ScriptedStream) -> None:
    with growing(null("deadline")):
        await ask(best_effort(stream), within=0)


async def test_a_call_that_stream_cannot_have_counts(stream: ScriptedStream) -> None:
    with growing(null("unaddressable")):
        await ask(best_effort(stream), ("livestream", ".."))


async def test_one_beyond_the_limit_counts(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_concurrent_requests=1)
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.05)
    with growing(null("too_many_requests")):
        await ask(asked, OTHER)
    await first


async def test_nothing_is_asked_while_the_breaker_is_open(stream: ScriptedStream) -> None:
    stream.says = StreamFailedError("status 500")
    asked = best_effort(stream, breaker_failures=1)
    assert own_metrics()["livecalls_stream_breaker_open"] == 0
    await ask(asked)
    assert own_metrics()["livecalls_stream_breaker_open"] == 1
    with growing(null("breaker_open")):
        await ask(asked, OTHER)


async def test_nor_after_a_rate_limit(stream: ScriptedStream) -> None:
    stream.says = StreamRateLimitedError(5)
    asked = best_effort(stream)
    await ask(asked)
    with growing(null("rate_limited")):
        await ask(asked, OTHER)


async def test_without_a_stream_app_all_are_null() -> None:
    with growing(null("not_configured")):
        await Unconfigured().live_status(*CALL, 1)
