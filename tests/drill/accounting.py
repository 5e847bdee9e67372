"""Accounts for every request of a drill: answered right, refused rightly, or wrong, hung or lost."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile

DEADLINE_SECONDS = 5.0
"""What each caller allows; the gateway's `REST_TIMEOUT_MS` is the same."""
ALLOWANCE_SECONDS = 3.0
"""How much later an answer may be: a busy machine gives caller and server the processor late."""
GIVE_UP_SECONDS = DEADLINE_SECONDS + ALLOWANCE_SECONDS


class WayIn(StrEnum):
    """How a request reaches the service."""

    REST = "REST"
    THROUGH = "gRPC through Envoy"
    DIRECT = "gRPC"


class Outcome(StrEnum):
    """What a caller gets: an answer, a code of gRPC's (by REST, what the status stands for), or none."""

    OK = "OK"
    LIVE_UNKNOWN = "`live` null"
    """The right row, without what Stream would say about it."""
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    CANCELLED = "CANCELLED"
    CONNECTION_LOST = "connection lost"
    """REST: refused, reset or closed before a reply; by gRPC that is UNAVAILABLE."""
    NO_ANSWER = "no answer"
    """The caller gave up, long after its deadline."""
    OTHER = "another status"


ANSWERED = frozenset({Outcome.OK, Outcome.LIVE_UNKNOWN})
Refusals = Mapping[WayIn, frozenset[Outcome]]
"""The refusals that are right on each way in, while a fault lasts."""


class Verdict(StrEnum):
    """What is to be made of a request."""

    RIGHT = "right"
    REFUSED = "refused"
    WRONG = "wrong"
    HUNG = "hung"
    LOST = "lost"


FAILED = (Verdict.WRONG, Verdict.HUNG, Verdict.LOST)


@dataclass(frozen=True)
class Answer:
    """What a caller gets: what it amounts to, what is wrong with it, and what a refusal said."""

    outcome: Outcome
    fault: str = ""
    detail: str = ""


@dataclass
class Record:
    """A request: when it was sent and ended, in the loop's seconds, and what its caller got."""

    way_in: WayIn
    sent: float
    ended: float | None = None
    outcome: Outcome | None = None
    fault: str = ""
    """What is wrong with its answer."""
    detail: str = ""
    """What a refusal said."""

    @property
    def seconds(self) -> float:
        return 0.0 if self.ended is None else self.ended - self.sent

    @property
    def is_well(self) -> bool:
        """Whether its caller noticed nothing."""
        return self.outcome is Outcome.OK and not self.fault

    def end(self, now: float, answer: Answer) -> None:
        """Record what its caller gets; what comes after the caller gave up is no answer."""
        self.ended = now
        if self.seconds >= GIVE_UP_SECONDS:
            answer = Answer(Outcome.NO_ANSWER)
        self.outcome, self.fault, self.detail = answer.outcome, answer.fault, answer.detail


@dataclass
class Ledger:
    """The requests of one fault, each recorded as it is sent."""

    refusals: Refusals
    records: list[Record] = field(default_factory=list)

    def send(self, way_in: WayIn, now: float) -> Record:
        """Record that a request is sent."""
        record = Record(way_in, now)
        self.records.append(record)
        return record

    def judge(self, record: Record) -> Verdict:
        """Judge a request, once the load is over."""
        if record.outcome is None:
            return Verdict.LOST
        if record.fault:
            return Verdict.WRONG
        if record.outcome in ANSWERED:
            return Verdict.RIGHT
        if record.outcome in self.refusals[record.way_in]:
            return Verdict.REFUSED
        return Verdict.HUNG if record.outcome is Outcome.NO_ANSWER else Verdict.WRONG

    def verdicts(self) -> Counter[Verdict]:
        """Count the requests by verdict."""
        return Counter(map(self.judge, self.records))

    def outcomes(self) -> Counter[Outcome]:
        """Count the requests by outcome; those without one are lost."""
        return Counter(record.outcome for record in self.records if record.outcome)

    def slowest(self) -> float:
        """Return the seconds of the request that took longest."""
        return max((record.seconds for record in self.records), default=0.0)

    def failures(self) -> Iterator[str]:
        """Describe what was wrong, hung or lost."""
        for record in self.records:
            if (verdict := self.judge(record)) in FAILED:
                what = record.fault or record.outcome or "no outcome"
                after = f"after {record.seconds:.2f} s"
                yield ", ".join(
                    filter(None, (f"{verdict}: {record.way_in}", what, record.detail, after))
                )

    def well_since(self, moment: float, streak: int) -> float | None:
        """Return when all ways in were well again after a moment: since when so many in a row are.

        Returns None if they are not yet.
        """
        starts = [self._streak_start(way_in, moment, streak) for way_in in self.refusals]
        known = [start for start in starts if start is not None]
        return max(known) if len(known) == len(starts) else None

    def _streak_start(self, way_in: WayIn, moment: float, streak: int) -> float | None:
        start: float | None = None
        length = 0
        for record in takewhile(lambda it: it.sent >= moment, reversed(self.records)):
            if record.way_in is not way_in or not record.outcome:
                continue
            if not record.is_well:
                break
            start, length = record.sent, length + 1
        return start if length >= streak else None
