"""The table of a drill, as Markdown."""

from collections.abc import Mapping, Sequence

from tests.drill.accounting import Outcome
from tests.drill.fault import Result
from tests.support.server.deployments import Deployment

Results = Mapping[Deployment, Sequence[Result]]
"""What callers saw, by the way to serve."""
_COLUMNS = ("callers saw", "slowest", "well after", "alerts")
_NOTHING = ("",) * len(_COLUMNS)


def table(results: Results) -> str:
    """Print a line for each fault, with what callers saw on each way to serve."""
    heads = [f"{deployment}: {name}" for deployment in results for name in _COLUMNS]
    by_name = [{result.fault.name: cells(result) for result in each} for each in results.values()]
    names = dict.fromkeys(name for each in by_name for name in each)
    lines = [[name, *(cell for each in by_name for cell in each.get(name, _NOTHING))] for name in names]
    rule = ["---"] * (1 + len(heads))
    return "\n".join(f"| {' | '.join(line)} |" for line in (["fault", *heads], rule, *lines))


def cells(result: Result) -> tuple[str, ...]:
    """Print what callers saw of one fault: how many of the answers were right, and all others."""
    well = "**never**" if result.healed_after is None else f"{result.healed_after:.1f} s"
    seen = [f"{result.right} of {len(result.ledger.records)} right", *_others(result)]
    alerts = ", ".join(sorted(alert.removeprefix("LiveCalls") for alert in result.alerts))
    return ", ".join(seen), f"{result.ledger.slowest():.1f} s", well, alerts


def _others(result: Result) -> Sequence[str]:
    outcomes = result.ledger.outcomes()
    seen = [f"{outcomes[each]} {each}" for each in Outcome if outcomes[each] and each is not Outcome.OK]
    return [*seen, f"**{result.failed} wrong, hung or lost**"] if result.failed else seen
