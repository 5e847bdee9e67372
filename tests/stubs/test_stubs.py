"""What each client sees of each case, by each way in."""

import pytest

from tests.stubs.cases import Case, all_cases
from tests.stubs.runner import Run

# A client is built first, on a fresh machine from nothing.
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_case(ran: Run, case: Case) -> None:
    outcome = ran.outcome(case)
    assert outcome, ran.log
    assert outcome == case.expected(outcome, ran.own_codes.get(case.name))
    assert ran.given_up.get(case.name) == case.expect.get("given_up")


def test_all_cases_are_answered_in_order(ran: Run) -> None:
    assert ran.exit_code == 0, ran.log
    assert [outcome["name"] for outcome in ran.outcomes] == [case.name for case in all_cases()]
