"""One connection to a Valkey for the questions of all requests: those that come together are written together, and the
answers come back in their order.

Only what may be asked twice goes this way. Why, and why an own one: docs/decisions/valkey-line.md.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bff.stores.valkey_node import YOUNG_SECONDS, Following, PoolBusy

# A deadline is looked at so often until it is over. Ticks are counted, and not time, so that a process which stood
# still itself takes what has come meanwhile before it calls anything late.
TICKS = 4
GONE = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError)
Words = tuple[str | bytes | int | float, ...]


class Question:
    """Commands that are written at once. `asked_at` is the tick since which it waits, `answered` how many answers the
    line had had by then."""

    __slots__ = ("answered", "answers", "asked_at", "count", "future", "packed")

    def __init__(self, packed: bytes, count: int, asked_at: int, answered: int) -> None:
        self.packed = packed
        self.count = count
        self.asked_at = asked_at
        self.answered = answered
        self.answers: list[Any] = []
        self.future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        # One that nobody waits for any more was cancelled. Each has an error of its own, since each raises it.
        if not self.future.done():
            own = type(error)(*error.args)
            own.__cause__ = error.__cause__
            self.future.set_exception(own)


class Wire(asyncio.Protocol):
    """A connection on which redis-py has introduced us, until it ends. `ended` is called once, when it does."""

    def __init__(self, writer: asyncio.StreamWriter, answered: Callable[[], None], ended: Callable[[], None]) -> None:
        self.sent: deque[Question] = deque()
        self._writer = writer
        self._answered = answered
        self._ended = ended
        self._is_open = True
        self.lost = asyncio.Event()
        self._since = time.monotonic()
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=DefaultParser.parse_error)
        writer.transport.set_protocol(self)

    def send(self, questions: Sequence[Question]) -> None:
        self.sent.extend(questions)
        self._writer.write(b"".join([question.packed for question in questions]))

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while self._is_open and (answer := self._reader.gets()) is not False:
                self._take(answer)
        except InvalidResponse as error:
            self.end(error)
        else:
            self._answered()

    def _take(self, answer: Any) -> None:
        if not self.sent:
            raise InvalidResponse("an answer that nobody asked for")
        if isinstance(answer, ReadOnlyError) and time.monotonic() - self._since >= YOUNG_SECONDS:
            self.end(RedisConnectionError("the primary has become a replica"))
            return
        question = self.sent[0]
        question.answers.append(answer)
        if len(question.answers) == question.count:
            self.sent.popleft()
            if not question.future.done():
                question.future.set_result(question.answers)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()
        self.end(RedisConnectionError("Valkey has closed the connection"))

    def end(self, error: Exception) -> None:
        """Close it; whatever has no answer yet fails with this error."""
        if self._is_open:
            self._is_open = False
            self._writer.transport.abort()
            for question in self.sent:
                question.fail(error)
            self.sent.clear()
            self._ended()


class Line:
    """Asks one Valkey, on a connection that is made when it is needed.

    `at_once` questions are on their way at most; others wait. Waiting, and the way there and back, take `seconds` each,
    and a quarter more, at most. A question is asked `tries` times at most where there is no answer. `is_silent` is
    called when none came in time.
    """

    def __init__(
        self,
        new_connection: Callable[[], Following],
        is_silent: Callable[[], None],
        *,
        at_once: int,
        seconds: float,
        tries: int,
    ) -> None:
        self._new_connection = new_connection
        self._is_silent = is_silent
        self._at_once = at_once
        self._seconds = seconds
        self._tries = tries
        self._waiting: deque[Question] = deque()
        self._wire: Wire | None = None
        self._connecting: asyncio.Task[asyncio.StreamWriter] | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0
        self._answers = 0
        self._is_due = False

    @property
    def on_their_way(self) -> int:
        """How many questions are."""
        return len(self._wire.sent) if self._wire else 0

    async def ask(self, commands: Sequence[Words]) -> list[Any]:
        """The answers, errors among them, to commands that are written at once.

        Raises PoolBusy when too many questions wait while Valkey answers, and redis-py's errors when it does not.
        """
        packed = b"".join([hiredis.pack_command(cast(Any, words)) for words in commands])
        try:
            return await self._put(packed, len(commands))
        except PoolBusy:
            raise
        except GONE:
            if self._tries == 1:
                raise
        return await self._put(packed, len(commands))

    async def aclose(self) -> None:
        """Close the connection; whoever still asks is told, and nothing is asked again."""
        self._tries = 1
        self._fail_waiting(RedisConnectionError("closed"))
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        if self._wire is not None:
            wire = self._wire
            wire.end(RedisConnectionError("closed"))
            await wire.lost.wait()

    def _put(self, packed: bytes, count: int) -> asyncio.Future[list[Any]]:
        question = Question(packed, count, self._ticks, self._answers)
        self._waiting.append(question)
        if not self._is_due:
            # Whatever else is asked in this turn of the loop goes with it.
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._write)
        return question.future

    def _write(self) -> None:
        self._is_due = False
        if self._wire is not None:
            self._send(self._wire)
        elif self._waiting and self._connecting is None:
            self._connecting = asyncio.create_task(self._connected())
            self._connecting.add_done_callback(self._take_up)

    def _send(self, wire: Wire) -> None:
        ready: list[Question] = []
        while self._waiting and len(wire.sent) + len(ready) < self._at_once:
            question = self._waiting.popleft()
            if not question.future.done():
                question.asked_at = self._ticks
                ready.append(question)
        if ready:
            wire.send(ready)
        if wire.sent and self._ticking is None:
            self._tick_later()

    async def _connected(self) -> asyncio.StreamWriter:
        connection = self._new_connection()
        await connection.connect()  # type: ignore[no-untyped-call]  # redis-py's
        return connection.hand_over()

    def _take_up(self, connecting: "asyncio.Task[asyncio.StreamWriter]") -> None:
        """Go on with what has been connected; whatever went wrong instead, those who wait are told."""
        self._connecting = None
        error = RedisConnectionError("closed") if connecting.cancelled() else connecting.exception()
        if error is not None:
            self._fail_waiting(error)
            return
        for question in self._waiting:
            question.asked_at = self._ticks
        self._wire = Wire(connecting.result(), self._has_answered, self._has_ended)
        self._send(self._wire)

    def _has_answered(self) -> None:
        self._answers += 1
        if self._wire is not None and self._waiting:
            self._send(self._wire)

    def _has_ended(self) -> None:
        self._wire = None
        self._write()

    def _fail_waiting(self, error: BaseException) -> None:
        failed, self._waiting = self._waiting, deque()
        for question in failed:
            question.fail(error)

    def _tick_later(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(self._seconds / TICKS, self._tick)

    def _tick(self) -> None:
        self._ticking, self._ticks = None, self._ticks + 1
        if self._wire is None:
            return
        if self._wire.sent and self._is_late(self._wire.sent[0]):
            # Those behind it have no better prospects, and an answer that comes later is nobody's.
            self._wire.end(RedisTimeoutError("Valkey does not answer"))
            self._is_silent()
            return
        while self._waiting and self._is_late(self._waiting[0]):
            self._turn_away(self._waiting.popleft())
        if self._wire.sent:
            self._tick_later()

    def _is_late(self, question: Question) -> bool:
        return self._ticks - question.asked_at > TICKS

    def _turn_away(self, question: Question) -> None:
        is_busy = self._answers > question.answered
        question.fail(PoolBusy("too many questions wait") if is_busy else RedisTimeoutError("Valkey does not answer"))
