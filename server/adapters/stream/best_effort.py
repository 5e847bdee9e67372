"""Gets the live status of a call from Stream, best effort and by as few requests as possible."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamFailedError,
    StreamQuestionRefusedError,
    StreamRateLimitedError,
)
from server.adapters.stream.gate import Gate, StreamCall
from server.adapters.stream.never_asked import NeverAsked
from server.adapters.stream.wire import can_be_asked
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.runtime.tasks import wait_for_end

log = logging.getLogger("server.stream")

_ANSWERS_REMEMBERED = 10_000
"""Responses cached at most, some 700 bytes each and never 2 KB: `wire` bounds names and sessions."""
_RESERVE = 0.05
"""Seconds of a caller's deadline that are reserved for the reply itself."""


class Stream(Protocol):
    """Stream's API, without any limits."""

    async def ask(self, call_type: str, call_id: str) -> LiveStatus:
        """Fetch the live status of a call; raise a StreamError if there is none."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class _Answer(NamedTuple):
    """The cached status of a call, None if not known, and when it was requested."""

    asked_at: float
    status: LiveStatus | None


class BestEffort:
    """The cached response, else that of the request under way, else of a new one if the gate permits it.

    A response's age counts from when its request was sent, so that nothing is returned that is older
    than the cache's TTL. Failures are cached as long as successes: Stream gets at most one request
    per call and TTL. A request belongs to no caller: callers come, give up and are cancelled without
    it; it is aborted when its response could no longer be used, which is a failure.
    """

    def __init__(
        self, stream: Stream, settings: StreamSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._gate = Gate(settings, clock)
        self._never_asked = NeverAsked()
        self._budget = settings.budget_ms / 1000
        self._reuse = settings.reuse_ms / 1000
        self._patience = settings.question_ms / 1000
        self._max_questions = settings.max_questions
        self._answers: OrderedDict[StreamCall, _Answer] = OrderedDict()
        self._questions: dict[StreamCall, asyncio.Task[LiveStatus | None]] = {}

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Return a call's live status within so many seconds, None if it is not known; never raise."""
        call = (stream_call_type, stream_call_id)
        known = self._answers.get(call)
        if known is not None and self._clock() - known.asked_at <= self._reuse:
            return known.status
        wait = min(self._budget, within - _RESERVE)
        if wait <= 0:
            return None
        question = self._questions.get(call) or self._ask(call)
        if question is None:
            return None
        await asyncio.wait((question,), timeout=wait)
        return _answer_of(question)

    async def aclose(self) -> None:
        """Cancel all requests, and close the connections to Stream."""
        questions = list(self._questions.values())
        for question in questions:
            question.cancel()
        await wait_for_end(questions, "questions to Stream")
        await self._stream.aclose()

    def _ask(self, call: StreamCall) -> asyncio.Task[LiveStatus | None] | None:
        if not can_be_asked(*call):
            self._never_asked.note(*call)
            return None
        if len(self._questions) >= self._max_questions or not self._gate.permits(call):
            return None
        self._gate.began(call)
        question = asyncio.create_task(self._question(call, self._clock()))
        self._questions[call] = question
        question.add_done_callback(lambda _: self._questions.pop(call))
        return question

    async def _question(self, call: StreamCall, asked_at: float) -> LiveStatus | None:
        status = await self._outcome(call)
        self._answers[call] = _Answer(asked_at, status)
        self._answers.move_to_end(call)
        if len(self._answers) > _ANSWERS_REMEMBERED:
            self._answers.popitem(last=False)
        return status

    async def _outcome(self, call: StreamCall) -> LiveStatus | None:
        try:
            async with asyncio.timeout(self._patience):
                status = await self._stream.ask(*call)
        except StreamRateLimitedError as error:
            self._gate.rate_limited(call, error.seconds)
        except StreamCallNotFoundError:
            self._gate.answered(call)
            _log_no_answer(logging.INFO, call, "no such call")
        except StreamQuestionRefusedError:
            self._gate.refused(call)
            _log_no_answer(logging.WARNING, call, "question refused")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong at Stream, the row is returned
            self._gate.failed(call)
            _log_no_answer(logging.WARNING, call, _reason(error))
        else:
            self._gate.answered(call)
            return status
        return None


def _answer_of(question: asyncio.Task[LiveStatus | None]) -> LiveStatus | None:
    if not question.done() or question.cancelled():
        return None
    return question.result()


def _reason(error: Exception) -> str:
    if isinstance(error, StreamFailedError):
        return error.reason
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _log_no_answer(level: int, call: StreamCall, reason: str) -> None:
    about = {"stream_call_type": call[0], "stream_call_id": call[1], "reason": reason}
    log.log(level, "stream gave no answer", extra=about)
