"""What `check` finds out, a line for each thing."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """What was found out about a thing; -- marks what is not there to be looked at."""

    mark: Literal["ok", "FAIL", "--"]
    thing: str
    words: str

    def __str__(self) -> str:
        return f"{self.mark:<4}  {self.thing}: {self.words}"
