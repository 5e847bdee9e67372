import asyncio

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
    StreamResponseTooLargeError,
    UnusableResponseError,
)
from server.adapters.stream.unconfigured import Unconfigured
from tests.support.callers.metrics import Series, growing, own_metrics
from tests.support.stand_ins.scripted_stream import (
    CALL,
    OTHER,
    ScriptedStream,
    ask,
    ask_all,
    best_effort,
    calls,
)

AGE = "livecalls_live_status_age_seconds_count"
NULL = 'livecalls_live_statuses_total{outcome="null"}'
PER_QUERY = "livecalls_stream_calls_per_query_count"
SECONDS = "livecalls_stream_request_seconds_count"
BULK_OPEN = "livecalls_stream_bulk_breaker_open"


def status(outcome: str) -> Series:
    return {f'livecalls_live_statuses_total{{outcome="{outcome}"}}': 1, AGE: 1}


def null(reason: str) -> Series:
    return {
        NULL: 1,
        f'livecalls_live_statuses_null_total{{reason="{reason}"}}': 1,
    }


def request(outcome: str, endpoint: str = "GetCall") -> Series:
    return {
        f'livecalls_stream_requests_total{{endpoint="{endpoint}",outcome="{outcome}"}}': 1,
        SECONDS: 1,
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
    with growing(grown | {AGE: 2}):
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


async def test_a_request_for_many_counts_by_its_endpoint(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    thrice = dict.fromkeys(status("fetched"), 3)
    with growing({**thrice, **request("found", "QueryCalls"), PER_QUERY: 1}):
        await ask_all(asked, calls(3))


async def test_each_of_its_calls_counts_by_its_own_status(stream: ScriptedStream) -> None:
    absent, bad, good = calls(3)
    stream.says_of = {absent: StreamCallNotFoundError(), bad: UnusableResponseError("call")}
    asked = best_effort(stream)
    nulls = {**null("not_found"), **null("failed")} | {NULL: 2}
    found = {**status("fetched"), **request("found", "QueryCalls"), PER_QUERY: 1}
    with growing({**found, **nulls}):
        await ask_all(asked, [absent, bad, good])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (StreamFailedError("status 403"), "failed"),
        (StreamRequestRejectedError(), "rejected"),
        (StreamResponseTooLargeError(), "failed"),
        (StreamFailedError("timeout"), "timeout"),
        (TimeoutError(), "timeout"),
    ],
)
async def test_one_that_fails_counts_and_so_do_those_for_single_calls_behind_it(
    stream: ScriptedStream, error: Exception, outcome: str
) -> None:
    stream.says_to_many = error
    twice = dict.fromkeys([*status("fetched"), *request("found")], 2)
    with growing({**request(outcome, "QueryCalls"), **twice, SECONDS: 3, PER_QUERY: 1}):
        await ask_all(best_effort(stream), calls(2))


async def test_one_that_is_rate_limited_counts_as_that(stream: ScriptedStream) -> None:
    stream.says_to_many = StreamRateLimitedError(5)
    nulls = dict.fromkeys(null("rate_limited"), 2)
    with growing({**nulls, **request("rate_limited", "QueryCalls"), PER_QUERY: 1}):
        await ask_all(best_effort(stream), calls(2))


async def test_it_shows_while_calls_are_requested_one_by_one(stream: ScriptedStream) -> None:
    stream.says_to_many = StreamFailedError("status 403")
    asked = best_effort(stream)
    assert own_metrics()[BULK_OPEN] == 0
    await ask_all(asked, calls(2))
    stream.says_to_many = None
    await asyncio.sleep(5)
    assert own_metrics()[BULK_OPEN] == 1
    assert own_metrics()["livecalls_stream_breaker_open"] == 0
    await ask_all(asked, calls(2))
    assert own_metrics()[BULK_OPEN] == 0


async def test_requests_under_way_count_as_requests_and_not_as_calls(stream: ScriptedStream) -> None:
    asking = asyncio.create_task(ask_all(best_effort(stream), calls(150)))
    await asyncio.sleep(0.05)
    assert own_metrics()["livecalls_stream_requests_in_flight"] == 2
    await asking
    assert own_metrics()["livecalls_stream_requests_in_flight"] == 0


async def test_a_renewal_counts_as_a_request_and_not_as_a_status(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    with growing(request("found")):
        await asyncio.sleep(1)


async def test_one_who_comes_as_a_renewal_is_under_way_shares_it(stream: ScriptedStream) -> None:
    asked = best_effort(stream, timeout_ms=1000)
    stream.after = 0.5
    await ask(asked)
    await ask(asked)
    with growing({**status("shared"), **request("found")}):
        await asyncio.sleep(0.55)
        await ask(asked)


async def test_without_a_stream_app_all_are_null() -> None:
    with growing(null("not_configured")):
        await Unconfigured().live_status(*CALL, 1)
