"""`make drill`: breaks every part of the service in turn, under load, and prints what callers saw."""

import os
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

# Faults start programs while gRPC runs here, which would write a line about each of them.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

import click
import pytest

from tests.drill.fault import Result
from tests.drill.parts import PARTS, run
from tests.drill.report import cells, table
from tests.support.server.deployments import Deployment

_SHOWN = 10
_FILE = Path(__file__).parents[2] / ".build" / "drill.md"


def main() -> None:
    """Break what DRILL_ONLY names, or all; fail if anything is not as it must be."""
    parts, deployments = _plan(os.environ.get("DRILL_ONLY", ""))
    results = {deployment: list(_results(deployment, parts)) for deployment in deployments}
    if not any(results.values()):
        return
    text = table(results)
    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text(f"{text}\n")
    click.echo(f"{text}\n\nThe table is in {_FILE.relative_to(Path.cwd())}, too")
    if any(list(result.complaints()) for each in results.values() for result in each):
        sys.exit(1)


def _plan(only: str) -> tuple[list[str], list[Deployment]]:
    """Read which parts are to be broken, and how they serve; naming none of a kind is naming all."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := set(names) - {*PARTS, *Deployment}:
        sys.exit(f"DRILL_ONLY: {min(unknown)} is none of {', '.join([*PARTS, *Deployment])}")
    parts = [name for name in PARTS if name in names]
    deployments = [each for each in Deployment if each in names]
    return parts or list(PARTS), deployments or list(Deployment)


def _results(deployment: Deployment, parts: list[str]) -> Iterator[Result]:
    for part in parts:
        try:
            yield from _results_of(part, deployment)
        except pytest.skip.Exception as missing:
            click.echo(f"{deployment}: {part} is left out: {missing}", err=True)


def _results_of(part: str, deployment: Deployment) -> Iterator[Result]:
    for result in run(part, deployment=deployment):
        click.echo(f"{deployment}: {result.fault.name}: {'; '.join(cells(result))}", err=True)
        for complaint in islice(result.complaints(), _SHOWN):
            click.echo(f"  {complaint}", err=True)
        yield result


if __name__ == "__main__":
    main()
