"""Finding out what many want to know at the same moment, with one question."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

Value = TypeVar("Value")


class Lookup(Generic[Value]):
    """`ask` once for all who want its answer meanwhile, and for `seconds` after it: so an outage makes no flood of
    questions. A failure counts as an answer and is raised for all of them."""

    def __init__(self, ask: Callable[[], Awaitable[Value]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._asked: asyncio.Task[Value] | None = None
        self._good_until = 0.0

    async def get(self) -> Value:
        # Shielded: when one of many gives up, the others still want to know.
        return await asyncio.shield(self.begin())

    def begin(self) -> "asyncio.Task[Value]":
        """The same without waiting."""
        if self._asked is None or (self._asked.done() and time.monotonic() >= self._good_until):
            self._asked = asyncio.create_task(self._answer())
            self._asked.add_done_callback(_look_at)
        return self._asked

    async def _answer(self) -> Value:
        try:
            return await self._ask()
        finally:
            self._good_until = time.monotonic() + self._seconds


def _look_at(task: "asyncio.Task[Value]") -> None:
    """A failure that nobody waited for is no error of its own."""
    if not task.cancelled():
        task.exception()


async def first_answer(questions: Iterable[Awaitable[Value | None]]) -> Value:
    """What the first of them says that says something; raises redis-py's ConnectionError when none does."""
    asked = [asyncio.ensure_future(question) for question in questions]
    try:
        for answer in asyncio.as_completed(asked):
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                if (found := await answer) is not None:
                    return found
        raise RedisConnectionError("nobody says where Valkey is")
    finally:
        for question in asked:
            question.cancel()
