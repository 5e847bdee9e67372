"""How long to wait before what has ended is started again."""

# A process that ran for so long was well: the next pause is the shortest again.
WELL_SECONDS = 10.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class Pauses:
    """The pauses of one process: the longer, the more often it ends."""

    def __init__(self) -> None:
        self._next = 0.0

    def after(self, ran_seconds: float) -> float:
        """Tell the pause after a run that took so long; there is none after one that went well."""
        pause = 0.0 if ran_seconds >= WELL_SECONDS else self._next
        self._next = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        return pause
