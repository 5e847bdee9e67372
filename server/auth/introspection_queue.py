"""The queue of tokens to introspect, of which only so many may be under way at once."""

import asyncio
from collections import OrderedDict
from enum import IntEnum

MAX_KNOWN_WAITING = 1000
MAX_TURNED_AWAY = 10_000
"""Rejected tokens that are remembered at most, some 150 bytes each."""


class Rank(IntEnum):
    """Which tokens go first."""

    KNOWN = 0
    """Introspected before, and good."""
    RETURNING = 1
    """Rejected before because the queue was full."""
    NEW = 2


class TurnedAwayError(Exception):
    """Too many tokens wait already, or this one has waited too long."""


class Turn:
    """A token's place among those that are introspected or wait for it; it must be left."""

    def __init__(self, queue: "IntrospectionQueue", rank: Rank, digest: bytes) -> None:
        self._queue = queue
        self._digest = digest
        self.rank = rank
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait(self) -> None:
        """Wait until it is the token's turn; raises TurnedAwayError if that takes too long."""
        try:
            async with asyncio.timeout(self._queue.patience):
                await asyncio.shield(self.came)
        except TimeoutError:
            if self.came.done():  # at the same time
                return
            self._queue.note_turned_away(self._digest)
            raise TurnedAwayError from None

    def leave(self) -> None:
        """Let the next one have the turn."""
        self._queue.leave(self)


class IntrospectionQueue:
    """Gives so many turns at once, and to tokens that were never good only so many in a second.

    Different junk tokens come once each, so tokens that were good before go first, and behind them
    those that come again after a rejection: junk cannot keep a caller out that tries again.
    A request takes the server more than a millisecond, so their pace is what junk may take from others.
    """

    def __init__(self, max_turns: int, per_second: int, patience: float) -> None:
        """Let tokens wait for so many seconds, and no more of them than have a turn in half that time.

        A token behind as many as have a turn in all that time would wait in vain, each time.
        """
        self.patience = patience
        self._free = max_turns
        self._pause = 1 / per_second
        max_waiting = max(1, int(patience * per_second / 2))
        self._max_waiting = (MAX_KNOWN_WAITING, max_waiting, max_waiting)
        self._waiting: tuple[dict[Turn, None], ...] = ({}, {}, {})
        self._turned_away: OrderedDict[bytes, None] = OrderedDict()
        self._paused = False

    def enter(self, digest: bytes, *, known: bool) -> Turn:
        """Take a place; raises TurnedAwayError if too many wait."""
        rank = self._rank(digest, known=known)
        if len(self._waiting[rank]) >= self._max_waiting[rank]:
            self.note_turned_away(digest)
            raise TurnedAwayError
        self._turned_away.pop(digest, None)
        turn = Turn(self, rank, digest)
        self._waiting[rank][turn] = None
        self._call_next()
        return turn

    def leave(self, turn: Turn) -> None:
        """Give up a place, and call the next if its turn had come."""
        if not turn.came.done():
            del self._waiting[turn.rank][turn]
            return
        self._free += 1
        self._call_next()

    def note_turned_away(self, digest: bytes) -> None:
        """Remember a token, so that it goes before new ones when it comes again."""
        self._turned_away[digest] = None
        self._turned_away.move_to_end(digest)
        if len(self._turned_away) > MAX_TURNED_AWAY:
            self._turned_away.popitem(last=False)

    def _rank(self, digest: bytes, *, known: bool) -> Rank:
        if known:
            return Rank.KNOWN
        return Rank.RETURNING if digest in self._turned_away else Rank.NEW

    def _call_next(self) -> None:
        for rank, waiting in zip(Rank, self._waiting, strict=True):
            while self._free and waiting and (rank is Rank.KNOWN or not self._paused):
                turn = next(iter(waiting))
                del waiting[turn]
                self._free -= 1
                turn.came.set_result(None)
                if rank is not Rank.KNOWN:
                    self._paused = True
                    asyncio.get_running_loop().call_later(self._pause, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        self._call_next()
