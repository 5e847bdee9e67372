"""Which requests are traced."""

import pytest

from machine.tracing import NOT_SAMPLED
from server.runtime.sampling import Sampling

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
ALL = Sampling(1, follows_caller=True)
NONE = Sampling(0, follows_caller=True)


def sent(flags: str = "01", trace_id: str = TRACE, version: str = "00", more: str = "") -> str:
    return f"{version}-{trace_id}-{SPAN}-{flags}{more}"


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
def test_a_caller_who_traces_a_request_is_followed(flags: str) -> None:
    assert NONE.includes(sent(flags))


@pytest.mark.parametrize("flags", ["00", "02", "fe"])
def test_a_caller_who_does_not_trace_a_request_is_followed(flags: str) -> None:
    assert not ALL.includes(sent(flags))


def test_a_gateway_that_traces_nothing_of_a_request_is_followed() -> None:
    assert not ALL.includes(NOT_SAMPLED)
    assert Sampling(1, follows_caller=False).includes(NOT_SAMPLED)


def test_a_newer_version_may_have_more_behind() -> None:
    assert NONE.includes(sent(version="01", more="-and-more"))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "zz",
        sent(trace_id="0" * 32),
        sent(trace_id=TRACE.upper()),
        sent(trace_id=TRACE[1:]),
        sent(version="ff"),
        sent().replace(SPAN, "0" * 16),
        sent(flags="1"),
        sent() + "\n",
    ],
    ids=repr,
)
def test_a_malformed_header_is_as_none_at_all(header: str) -> None:
    assert not NONE.includes(header)
    assert ALL.includes(header)


def test_a_share_of_the_requests_without_a_trace_is_traced() -> None:
    half = Sampling(0.5, follows_caller=True)
    assert {half.includes("") for _ in range(100)} == {True, False}


def test_one_that_follows_nobody_decides_by_the_id_of_the_trace() -> None:
    half = Sampling(0.5, follows_caller=False)
    low, high = "f" * 16 + "7" + "f" * 15, "0" * 16 + "8" + "0" * 15
    for flags in ("00", "01"):
        assert half.includes(sent(flags, low))
        assert not half.includes(sent(flags, high))


def test_the_bounds_of_one_that_follows_nobody_are_all_and_none() -> None:
    last = sent(trace_id="f" * 32)
    assert Sampling(1, follows_caller=False).includes(last)
    assert not Sampling(0, follows_caller=False).includes(sent(trace_id="1" + "0" * 31))
