"""`python -m server check --call`: how soon each way to ask Stream shows what becomes of a call."""

import math
import re

import pytest
from click.testing import Result

from demo.stream_stand_in.running import serve_in_thread
from demo.stream_stand_in.stand_in import KnownCall, State, StreamStandIn
from tests.support.machine.commands import run
from tests.support.stand_ins.stream import KEY, SECRET, closed_port, stream_variables

SETTINGS = "ok    settings: all can be used"
CALL = ("livestream", "room-1")
NO_NAMES = ["", "room-1", "livestream:", ":room-1", "livestream:a:b", "livestream:a b", "a:" + "b" * 65]


class ChangingStandIn(StreamStandIn):
    """Takes the call on air as it is asked for the third time; its clock counts the times."""

    def __init__(self, lag: float = 0) -> None:
        super().__init__(KEY, SECRET, lag_seconds=lag, clock=lambda: -math.inf)
        self.put(*CALL, State.BACKSTAGE)
        self.clock = self.times_asked

    def times_asked(self) -> float:
        return max(self.requests.total(), len(self.queries))

    def find(self, call_type: str, call_id: str) -> KnownCall | None:
        known = super().find(call_type, call_id)
        if known and known.state is State.BACKSTAGE and self.times_asked() == 3:
            return self.put(call_type, call_id, State.ON_AIR)
        return known


def check(url: str, *options: str) -> Result:
    return run("check", "--call", ":".join(CALL), *options, **stream_variables(url))


def lines_of(stand_in: StreamStandIn) -> list[str]:
    with serve_in_thread(stand_in) as url:
        result = check(url, "--seconds", "3")
    lines = result.stdout.splitlines()
    assert lines[0] == SETTINGS
    assert re.search(r"median latency: GetCall \d+ ms \(\d+ responses\); QueryCalls \d+ ms", lines[-2])
    assert result.exit_code == (1 if lines[-1].startswith("FAIL") else 0)
    assert {cid for cids in stand_in.queries for cid in cids} == {"livestream:room-1"}
    return lines


def changes_in(lines: list[str]) -> dict[tuple[str, bool], float]:
    """Return by which way which `is_live` was shown, from which second on."""
    changes = re.findall(r"^ *([\d.]+) s  (\w+) +is_live (\w+), ", "\n".join(lines), re.MULTILINE)
    return {(way, is_live == "true"): float(at) for at, way, is_live in changes}


def test_queries_that_show_a_change_as_soon_are_well() -> None:
    lines = lines_of(ChangingStandIn())
    changes = changes_in(lines)
    assert changes["GetCall", False] == changes["QueryCalls", False] == 0
    assert changes["GetCall", True] == changes["QueryCalls", True] >= 1
    assert lines[-1].startswith("ok    QueryCalls: shows 1 change within ")


def test_queries_that_lag_are_not() -> None:
    lines = lines_of(ChangingStandIn(lag=2))
    changes = changes_in(lines)
    assert changes["QueryCalls", True] - changes["GetCall", True] >= 1
    assert lines[-1].startswith("FAIL  QueryCalls: shows changes up to ")


def test_queries_that_lag_for_ever_differ() -> None:
    lines = lines_of(ChangingStandIn(lag=math.inf))
    assert ("QueryCalls", True) not in changes_in(lines)
    assert lines[-1].startswith("FAIL  QueryCalls: differs from GetCall in is_live, for ")


def test_a_call_that_stream_does_not_know_fails(stand_in: StreamStandIn) -> None:
    assert lines_of(stand_in)[-1] == "FAIL  call: Stream knows no such call"


def test_a_stream_that_is_away_fails() -> None:
    result = check(f"http://127.0.0.1:{closed_port()}")
    assert result.stdout.splitlines()[-1].startswith("FAIL  GetCall: cannot be asked (")
    assert result.exit_code == 1


def test_stream_must_be_configured() -> None:
    result = run("check", "--call", "livestream:room-1")
    missing = "FAIL  Stream: not configured: set STREAM_API_KEY and STREAM_API_SECRET"
    assert result.stdout.splitlines() == [SETTINGS, missing]
    assert result.exit_code == 1


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_names_no_call_is_wrong_usage(name: str) -> None:
    result = run("check", "--call", name)
    assert "Invalid value for '--call': must be TYPE:ID, such as " in result.stderr
    assert (result.stdout, result.exit_code) == ("", 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seconds", "5"], "--seconds goes with --call"),
        (["--call", "a:b", "--seconds", "0.5"], "0.5 is not in the range"),
        (["--call", "a:b", "--token", "-"], "--token and --call exclude each other"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(options: list[str], words: str) -> None:
    result = run("check", *options)
    assert words in result.stderr
    assert result.exit_code == 2
