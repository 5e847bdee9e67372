"""The table of cases and columns, as the reports of a session of pytest tell it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_MARKS = {"passed": "✓", "failed": "✗", "error": "✗", "skipped": "-"}


def table(stats: Mapping[str, Iterable[Any]]) -> Iterator[str]:
    """Write the table, a line for each case; nothing where no case was run."""
    marks = dict(_marks(stats))
    columns = list(dict.fromkeys(column for _, column in marks))
    cases = list(dict.fromkeys(case for case, _ in marks))
    width = max(map(len, cases), default=0)
    for number, column in enumerate(columns):
        yield f"{'':{width}} {'│ ' * number}┌ {column}"
    for case in cases:
        yield f"{case:{width}} " + " ".join(marks.get((case, column), " ") for column in columns)


def _marks(stats: Mapping[str, Iterable[Any]]) -> Iterator[tuple[tuple[str, str], str]]:
    for outcome, mark in _MARKS.items():
        for report in stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == "cell":
                    yield value, mark
