"""The table of cases and columns, from the reports of a session of pytest."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.stubs.cases import all_cases
from tests.stubs.languages import COLUMNS

_MARKS = {"passed": "✓", "failed": "✗", "error": "✗", "skipped": "-"}


def table(stats: Mapping[str, Iterable[Any]]) -> Iterator[str]:
    """Yield the table, a line for each case; nothing if no case was run."""
    marks = dict(_marks(stats))
    columns = _in_order((column for _, column in marks), map(str, COLUMNS))
    cases = _in_order((case for case, _ in marks), (case.name for case in all_cases()))
    width = max(map(len, cases), default=0)
    for number, column in enumerate(columns):
        yield f"{'':{width}} {'│ ' * number}┌ {column}"
    for case in cases:
        yield f"{case:{width}} " + " ".join(marks.get((case, column), " ") for column in columns)


def _in_order(found: Iterable[str], order: Iterable[str]) -> list[str]:
    wanted = set(found)
    return [name for name in order if name in wanted]


def _marks(stats: Mapping[str, Iterable[Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    for outcome, mark in _MARKS.items():
        for report in stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == "cell":
                    yield value, mark
