"""A drill fails as it must: a wrong, a lost and a hung request are each seen, and so is no healing."""

import asyncio
import json
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from demo.stream_stand_in.stand_in import StreamStandIn
from tests.drill.accounting import GIVE_UP_SECONDS, Answer, Ledger, Outcome, Record, Verdict, WayIn
from tests.drill.fault import Fault, Result, on_all_ways
from tests.drill.load import steady_load
from tests.drill.parts import PARTS
from tests.drill.report import table
from tests.drill.truth import Truth
from tests.support.deploy.queries import alerts
from tests.support.server.deployments import Deployment

UNAVAILABLE = on_all_ways(Outcome.UNAVAILABLE)
NONE = on_all_ways()


def record(
    outcome: Outcome | None, *, seconds: float = 0.1, sent: float = 0.0, fault: str = ""
) -> Record:
    return Record(WayIn.REST, sent, sent + seconds, outcome, fault)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (record(Outcome.OK), Verdict.RIGHT),
        (record(Outcome.LIVE_UNKNOWN), Verdict.RIGHT),
        (record(Outcome.UNAVAILABLE), Verdict.REFUSED),
        (record(Outcome.OK, fault="another row"), Verdict.WRONG),
        (record(Outcome.UNAUTHENTICATED), Verdict.WRONG),
        (record(Outcome.CONNECTION_LOST), Verdict.WRONG),
        (record(Outcome.OTHER, fault="500"), Verdict.WRONG),
        (record(Outcome.NO_ANSWER), Verdict.HUNG),
        (record(None), Verdict.LOST),
        (record(None, fault="ValueError()"), Verdict.LOST),
    ],
    ids=lambda it: it if isinstance(it, str) else f"{it.outcome} {it.seconds:.1f} {it.fault}",
)
def test_each_request_is_judged(made: Record, verdict: Verdict) -> None:
    assert Ledger(UNAVAILABLE).judge(made) is verdict


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.UNAVAILABLE])
def test_what_comes_late_is_no_answer(outcome: Outcome) -> None:
    late = Record(WayIn.REST, 1)
    late.end(1.1 + GIVE_UP_SECONDS, Answer(outcome))
    assert Ledger(UNAVAILABLE).judge(late) is Verdict.HUNG
    assert Ledger(on_all_ways(Outcome.NO_ANSWER)).judge(late) is Verdict.REFUSED


def test_a_refusal_is_wrong_on_a_way_in_where_nobody_may_be_refused() -> None:
    ledger = Ledger({WayIn.REST: frozenset(), WayIn.DIRECT: frozenset({Outcome.UNAVAILABLE})})
    assert ledger.judge(record(Outcome.UNAVAILABLE)) is Verdict.WRONG
    assert ledger.judge(replace(record(Outcome.UNAVAILABLE), way_in=WayIn.DIRECT)) is Verdict.REFUSED


def test_all_is_well_again_since_the_first_of_a_streak_without_a_failure() -> None:
    ledger = Ledger({WayIn.REST: frozenset()})
    outcomes = [Outcome.OK, Outcome.UNAVAILABLE, Outcome.LIVE_UNKNOWN, Outcome.OK, Outcome.OK]
    ledger.records = [record(each, sent=sent) for sent, each in enumerate(outcomes, 1)]
    assert ledger.well_since(0, 2) == 4
    assert ledger.well_since(5, 1) == 5
    assert ledger.well_since(0, 3) is None
    ledger.records.append(record(Outcome.UNAVAILABLE, sent=6))
    assert ledger.well_since(0, 1) is None


def test_it_is_not_well_while_one_way_in_is_silent() -> None:
    ledger = Ledger(NONE)
    ledger.records = [record(Outcome.OK, sent=1)]
    assert ledger.well_since(0, 1) is None


async def test_a_caller_that_breaks_and_one_that_waits_for_ever_are_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.drill.load.GIVE_UP_SECONDS", 0.01)

    async def ask(way_in: WayIn, call_id: str) -> Answer:
        match call_id:
            case "hangs":
                await asyncio.Event().wait()
            case "breaks":
                raise ValueError
        return Answer(Outcome.OK)

    ledger = Ledger(NONE)
    async with steady_load(ask, ledger, {WayIn.REST: 1000}, ["well", "hangs", "breaks"]):
        while len(ledger.records) < 3:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
    assert [ledger.judge(each) for each in ledger.records[:3]] == [
        Verdict.RIGHT,
        Verdict.HUNG,
        Verdict.LOST,
    ]


@pytest.fixture(scope="module")
def truth() -> Truth:
    truth = Truth()
    truth.teach(StreamStandIn("key", "secret"))
    return truth


def test_an_answer_with_another_row_is_wrong(truth: Truth) -> None:
    first, second = truth.rows[1:3]
    body = {**truth.expected(second.id), "id": first.id, "live": None}
    assert truth.check_json(first.id, json.dumps(body).encode()).fault
    assert truth.check_message(first.id, pb.Call(id=first.id)).fault


@pytest.mark.parametrize("live", [None, {"is_live": True, "current_session_id": "s", "ended_at": None}])
def test_what_stream_says_is_right_unknown_or_wrong(truth: Truth, live: object) -> None:
    row = truth.rows[1]
    body = {**truth.expected(row.id), "live": live}
    answer = truth.check_json(row.id, json.dumps(body).encode())
    assert (answer.outcome is Outcome.LIVE_UNKNOWN, bool(answer.fault)) == (
        live is None,
        live is not None,
    )


def result(outcome: Outcome, healed: float | None = 1.0, **expected: tuple[Any, ...]) -> Result:
    ledger = Ledger(UNAVAILABLE, [record(outcome)])
    fault = Fault("a fault", lambda _: nullcontext(), **expected)  # type: ignore[arg-type]
    return Result(fault, ledger, healed, {"LiveCallsSlow", "LiveCallsErrors"})


def test_a_result_without_complaints_is_one_line_of_the_table() -> None:
    good = result(Outcome.UNAVAILABLE, felt=(Outcome.UNAVAILABLE,))
    assert not list(good.complaints())
    last = table({Deployment.STANDALONE: [good]}).splitlines()[-1]
    assert last == "| a fault | 0 of 1 right, 1 UNAVAILABLE | 0.1 s | 1.0 s | Errors, Slow |"


def test_a_fault_of_one_way_to_serve_leaves_the_other_s_cells_empty() -> None:
    both = {Deployment.STANDALONE: [result(Outcome.OK)], Deployment.EMBEDDED: []}
    assert (
        table(both).splitlines()[-1]
        == "| a fault | 1 of 1 right | 0.1 s | 1.0 s | Errors, Slow |  |  |  |  |"
    )


def test_complaints_are_of_failures_of_healing_and_of_a_fault_that_broke_nothing() -> None:
    wrong = result(Outcome.UNAUTHENTICATED)
    assert list(wrong.complaints()) == ["a fault: wrong: REST, UNAUTHENTICATED, after 0.10 s"]
    assert "**1 wrong, hung or lost**" in table({Deployment.STANDALONE: [wrong]})
    assert list(result(Outcome.OK, None).complaints()) == ["a fault: not well again within 60 s"]
    unfelt = result(Outcome.OK, felt=(Outcome.UNAVAILABLE,))
    assert list(unfelt.complaints()) == ["a fault was not felt: no UNAVAILABLE"]
    silent = result(Outcome.OK, alerts=("LiveCallsErrors", "LiveCallsFull"))
    assert list(silent.complaints()) == ["a fault: LiveCallsFull has not fired"]


def test_every_alert_is_fired_by_a_fault_of_a_short_drill() -> None:
    faults = [fault for part in PARTS.values() for fault in part.faults(Deployment.STANDALONE)]
    assert {alert for fault in faults if fault.quick for alert in fault.alerts} == {
        alert["alert"] for alert in alerts()
    }


def fault(seconds: float, **others: bool) -> Fault:
    return Fault("a fault", lambda _: nullcontext(), seconds, **others)  # type: ignore[arg-type]


def test_the_load_is_lighter_unless_a_fault_is_over_at_once_or_needs_it() -> None:
    assert fault(2).lighter > 1
    assert (fault(0).lighter, fault(2, needs_load=True).lighter) == (1, 1)
