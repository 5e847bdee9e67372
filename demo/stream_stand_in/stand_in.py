"""A stand-in for Stream: the calls it knows, how it behaves, and the requests it got."""

import time
from asyncio import BaseTransport
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import NAMESPACE_URL, uuid5
from weakref import WeakSet

from demo import sample_calls


class State(StrEnum):
    """What a call is doing at Stream."""

    NOT_STARTED = "not_started"
    BACKSTAGE = "backstage"
    ON_AIR = "on_air"
    ENDED = "ended"
    ON_AIR_AGAIN = "on_air_again"
    """After it was ended: Stream keeps the earlier end next to the later start."""


class Behaviour(StrEnum):
    """How the response to a request is: good, or wrong in one of the ways of networks and services."""

    WELL = "well"
    SLOW = "slow"
    HANG = "hang"
    DRIP = "drip"
    RESET = "reset"
    CUT = "cut"
    DROPPED = "dropped"
    """A kept connection is closed as a request arrives on it."""
    DROPPED_BY_RESET = "dropped_by_reset"
    BAD_REQUEST = "400"
    UNAUTHORIZED = "401"
    NOT_FOUND = "404"
    NO_ENDPOINT = "404_edge"
    """Stream's response for a URL that is none of its API's."""
    REDIRECT = "redirect"
    RATE_LIMITED = "429"
    ERROR = "500"
    BROKEN_ENVELOPE = "broken_envelope"
    HTML = "html"
    NULL = "null"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    ISO_DATES = "iso_dates"
    UNSET_LEFT_OUT = "unset_left_out"
    OTHER_CALL = "other_call"
    CROWDED = "crowded"
    MISSING_FIELDS = "missing_fields"
    WRONG_TYPES = "wrong_types"
    HUGE = "huge"
    HUGE_COMPRESSED = "huge_compressed"
    HUGE_NUMBER = "huge_number"
    DEEP = "deep"


@dataclass(frozen=True)
class KnownCall:
    """A call at Stream; `since_ns` is when it came into its state, in Unix nanoseconds."""

    type: str
    id: str
    state: State
    behaviour: Behaviour | None = None
    since_ns: int = field(default_factory=time.time_ns)

    @property
    def cid(self) -> str:
        """The call's name in queries."""
        return f"{self.type}:{self.id}"

    @property
    def session_id(self) -> str:
        """The id of the call's session, empty before the first one, as at Stream."""
        return "" if self.state is State.NOT_STARTED else str(uuid5(NAMESPACE_URL, self.cid))


@dataclass
class StreamStandIn:
    """The state of the stand-in, and the requests it has got."""

    key: str
    secret: str
    behaviour: Behaviour = Behaviour.WELL
    slow_seconds: float = 0.6
    rate_limit_seconds: int = 5
    latency_seconds: float = 0
    """How long each response of an endpoint is held back, whatever it is."""
    lag_seconds: float = 0
    """How old the states are that QueryCalls shows, while those of GetCall are current."""
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """GetCall's, by the type and id of the call."""
    queries: list[tuple[str, ...]] = field(default_factory=list)
    """The cids that each request for QueryCalls named, as it named them; without malformed ones."""
    kept: WeakSet[BaseTransport] = field(default_factory=WeakSet)
    """The connections that a request has come by."""
    last_traceparent: str | None = None
    """The header of the last request, by which a trace goes on."""
    clock: Callable[[], float] = time.monotonic
    _calls: dict[tuple[str, str], list[tuple[float, KnownCall]]] = field(default_factory=dict)
    """Each call as it has been, oldest first, with the clock's time from which on it was so."""

    def put(
        self,
        call_type: str,
        call_id: str,
        state: State = State.ON_AIR,
        behaviour: Behaviour | None = None,
    ) -> KnownCall:
        """Make a call known, in a state; a behaviour of its own overrides the one for all."""
        call = KnownCall(call_type, call_id, state, behaviour)
        self.know(call)
        return call

    def know(self, call: KnownCall) -> None:
        """Make a call known as it is."""
        self._calls.setdefault((call.type, call.id), []).append((self.clock(), call))

    def find(self, call_type: str, call_id: str) -> KnownCall | None:
        """Look up a call."""
        versions = self._calls.get((call_type, call_id))
        return versions[-1][1] if versions else None

    def find_lagging(self, call_type: str, call_id: str) -> KnownCall | None:
        """Look up a call as it was before the lag, but with its behaviour of now."""
        versions = self._calls.get((call_type, call_id), [])
        seen_at = self.clock() - self.lag_seconds
        then = next((call for since, call in reversed(versions) if since <= seen_at), None)
        return replace(then, behaviour=versions[-1][1].behaviour) if then else None

    def behaviour_for(self, call: KnownCall | None) -> Behaviour:
        """Return the behaviour for a request for a call, known or not."""
        return call.behaviour if call and call.behaviour else self.behaviour

    def put_sample_calls(self) -> None:
        """Make the demo's calls known, each in its state."""
        self.put("livestream", sample_calls.ON_AIR, State.ON_AIR)
        self.put("livestream", sample_calls.ENDED, State.ENDED)
        self.put("livestream", sample_calls.BACKSTAGE, State.BACKSTAGE)
        self.put("livestream", sample_calls.NEVER_ANSWERS, State.ON_AIR, Behaviour.HANG)
