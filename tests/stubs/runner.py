"""Runs all cases by a client, in one process."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from tests.stubs.cases import Case, all_cases
from tests.stubs.languages import ROOT, Client
from tests.stubs.script import Script
from tests.stubs.ways_in import Targets, tokens
from tests.support.stand_ins.upstream import Upstream

_SECONDS = 120


@dataclass(frozen=True)
class Run:
    """A client's outcomes of the cases, and which of their requests the server saw cancelled."""

    outcomes: list[dict[str, Any]]
    given_up: dict[str, bool]
    exit_code: int
    log: str
    """What the client has written to standard error."""
    own_codes: Mapping[str, str]
    """The client's own codes for errors, by case."""

    def outcome(self, case: Case) -> dict[str, Any] | None:
        """Return the client's outcome of a case, if it came so far."""
        return next((outcome for outcome in self.outcomes if outcome["name"] == case.name), None)


def run(client: Client, targets: Targets, upstream: Upstream, page: str) -> Run:
    """Run all cases, with the scripted server as it is at the start; a browser opens the page for it."""
    script = Script()
    upstream.runs(script.answer)
    cases, signed = all_cases(), tokens()
    asked = {
        "targets": {name: target._asdict() for name, target in targets.items()},
        "cases": [case.request(signed) for case in cases],
    }
    done = subprocess.run(
        client.command,
        cwd=ROOT,
        env={**os.environ, "PAGE_URL": page},
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Run(
        # Nothing else ends a line here: JSON may hold U+2028.
        [json.loads(line) for line in StringIO(done.stdout)],
        {case.name: script.given_up(case.id) for case in cases if "given_up" in case.expect},
        done.returncode,
        done.stderr,
        client.own_codes,
    )
