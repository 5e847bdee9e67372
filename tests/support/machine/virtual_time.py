"""An event loop whose time jumps to the next timer instead of being waited for."""

import asyncio
import selectors
from collections.abc import Callable


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Runs at once what waits for hours, in the right order; `time()` returns the virtual time."""

    def __init__(self) -> None:
        self._now = 1000.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        return self._now

    def _jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select()
        self._jump(max(timeout, 0))
        return super().select(0)
