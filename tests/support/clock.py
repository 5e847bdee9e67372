"""A clock that a test sets."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Tells the seconds that the test has put there."""

    now: float = 0

    def __call__(self) -> float:
        return self.now
