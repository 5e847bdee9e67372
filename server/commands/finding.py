"""The findings of `check`, one line each."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """The result for one thing; -- marks what is not there to be checked."""

    mark: Literal["ok", "FAIL", "--"]
    thing: str
    words: str

    def __str__(self) -> str:
        return f"{self.mark:<4}  {self.thing}: {self.words}"
