"""The only way to the network: every vendor call passes here, with a deadline, a size limit and one log line."""

import asyncio
import logging
import math
import random
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import httpx2
import msgspec

from bff.errors import Problem, Unreadable, UpstreamFailed, UpstreamTimeout
from bff.telemetry import spans
from bff.telemetry.logs import QuickLogger
from bff.telemetry.metrics import observe_call
from bff.telemetry.timing import count_call, spent_on
from bff.telemetry.tracing import traceparent
from bff.vendors.json_text import decode_json, nests_deeper
from bff.vendors.packing import unpacked
from bff.vendors.tls_failures import TlsFailed, failure_of
from bff.vendors.transport import Incoming, Outgoing, Transport

log = QuickLogger()
# A source of its own: it spreads load and guards nothing, and nobody else's seed matters to it.
_jitter = random.Random()  # noqa: S311  # See above.
MAX_JSON_BYTES = 1_048_576
MAX_JSON_DEPTH = 32
MAX_URL_CHARACTERS = 65_536
MAX_RETRY_AFTER_SECONDS = 60
# How long an operation is not called after a 429 without Retry-After.
BUSY_SECONDS = 1
# A call waits this long at most for one of its vendor's slots; a longer queue only passes the vendor's trouble on.
MAX_QUEUE_SECONDS = 0.25
_KEPT_HEADERS = (
    "content-type", "content-language", "retry-after", "www-authenticate", "cache-control", "x-request-id", "date",
    "age",
)  # fmt: skip
_TRANSIENT_STATUSES = frozenset({502, 503, 504})
_TRANSIENT_ERRORS = (httpx2.ConnectError, httpx2.ReadError, httpx2.RemoteProtocolError)
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.LocalProtocolError)
_DOWN = "It could not be reached."
_LATE = "It did not answer in time."
_BUSY = "It is busy."
_ODD = "It gave an answer that cannot be used."
_PAGE = "A web page came instead of an answer, as from a CDN in front of it."


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a vendor. `timeout_seconds` covers everything: waiting, connecting, both tries, the last byte.

    `vendor` and `operation` are constants of the code: they name the call in logs. An `idempotent` GET is tried once
    more when the first try broke off; nothing else ever is. An operation that `backs_off` is not called again for as
    long as the vendor's Retry-After said, up to `most_retry_after_seconds`; without it the caller keeps a pace of its
    own. Where nobody `reads_body`, the status is the answer, and what follows is not waited for.
    """

    vendor: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    timeout_seconds: float = 5.0
    idempotent: bool = False
    backs_off: bool = True
    most_retry_after_seconds: int = MAX_RETRY_AFTER_SECONDS
    reads_body: bool = True

    def __repr__(self) -> str:
        """Without address, headers and body, so that a logged call gives nothing away."""
        return f"Call({self.vendor} {self.operation})"


class HttpReply(msgspec.Struct, frozen=True):
    """A vendor's answer, 2xx or 4xx: unpacked `body`, and the few `headers` (lower-case) anyone may look at."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as plain Python values.

        Raises UpstreamFailed when it is not declared as JSON, is not JSON (RFC 8259, UTF-8), nests deeper than 32 or
        is larger than 1 MiB.
        """
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        declared = media_type == "application/json" or media_type.endswith("+json")
        if declared and len(self.body) <= MAX_JSON_BYTES:
            with suppress(ValueError, RecursionError):
                value = decode_json(self.body)
                if not nests_deeper(self.body, value, MAX_JSON_DEPTH):
                    return value
        raise UpstreamFailed(_PAGE, sent=True) if self.is_page else Unreadable(_ODD, sent=True)

    @property
    def is_page(self) -> bool:
        """Whether it is HTML, which no API of a vendor sends."""
        return self.headers.get("content-type", "").strip().lower().startswith("text/html")

    def __repr__(self) -> str:
        """Without headers and body, so that a logged reply gives nothing away."""
        return f"Reply({self.status}, {len(self.body)} bytes)"


class Upstream:
    """Calls vendors: at most `concurrency_per_vendor` at once to each, unpacked bodies up to `max_body_bytes`."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.time,
        concurrency_per_vendor: int = 64,
        max_body_bytes: int = 1_048_576,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._not_before: dict[tuple[str, str], float] = {}
        self._slots = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, concurrency_per_vendor))
        self._max_body_bytes = max_body_bytes

    async def call(self, call: Call) -> HttpReply:
        """The vendor's 2xx or 4xx answer; what a 4xx means is for the caller to say.

        Raises UpstreamFailed for everything else: unreachable, cut, too large, 3xx, 429, 5xx, no free slot; and
        UpstreamTimeout past a deadline. Their `sent` is False only when the vendor certainly did nothing. Raises
        Problem `invalid_request` when the address or a header cannot be written on one line.
        """
        with spans.span("client"):
            return await self._call(call)

    async def _call(self, call: Call) -> HttpReply:
        request = _outgoing(call)
        self._check_backoff(call)
        outcome: dict[str, object] = {"tries": 1, "status": None, "failure": "cancelled"}
        started = time.perf_counter()
        try:
            count_call()
            with spent_on("vendor"):
                async with asyncio.timeout(call.timeout_seconds):
                    return await self._in_a_slot(call, request, outcome)
        except TimeoutError:
            outcome["failure"] = "deadline"
            raise UpstreamTimeout(_LATE, sent=request.sent) from None
        except UpstreamFailed as failure:
            self._start_backoff(call, outcome, failure)
            raise
        finally:
            seconds = time.perf_counter() - started
            outcome["ms"] = round(seconds * 1000, 1)
            observe_call(call.vendor, call.operation, str(outcome["failure"] or outcome["status"]), seconds)
            level = logging.WARNING if outcome["failure"] else logging.INFO
            ended = {"vendor": call.vendor, "operation": call.operation, "method": call.method, **outcome}
            spans.describe(f"{call.vendor} {call.operation}", ended)
            log.log(level, "call", vendor=call.vendor, operation=call.operation, method=call.method, **outcome)

    async def aclose(self) -> None:
        """Close the transport and with it every connection."""
        await self._transport.aclose()

    def _check_backoff(self, call: Call) -> None:
        """Raises UpstreamFailed, nothing sent, until the time that the vendor has named for this (K7)."""
        left = self._not_before.get((call.vendor, call.operation), 0) - self._clock()
        if call.backs_off and 0 < left <= call.most_retry_after_seconds:
            raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=math.ceil(left))

    def _start_backoff(self, call: Call, outcome: Mapping[str, object], failure: UpstreamFailed) -> None:
        if outcome["status"] not in (429, 503):
            return
        seconds = failure.retry_after_seconds
        if seconds is None and outcome["status"] == 429:
            seconds = BUSY_SECONDS
        if seconds:
            self._not_before[call.vendor, call.operation] = self._clock() + seconds

    async def _in_a_slot(self, call: Call, request: Outgoing, outcome: dict[str, object]) -> HttpReply:
        """In one of the vendor's slots, so that a vendor that hangs cannot take the others' connections with it."""
        slots = self._slots[call.vendor]
        try:
            if slots.locked():
                async with asyncio.timeout(min(MAX_QUEUE_SECONDS, call.timeout_seconds / 4)):
                    await slots.acquire()
            else:
                # A free one is taken without a timer.
                await slots.acquire()
        except TimeoutError:
            outcome["failure"] = "no_slot"
            raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=1) from None
        try:
            return await self._send_with_retry(call, request, outcome)
        finally:
            slots.release()

    async def _send_with_retry(self, call: Call, request: Outgoing, outcome: dict[str, object]) -> HttpReply:
        if call.idempotent and call.method == "GET":
            try:
                return await self._send(call, request, outcome)
            except _TransientFailure as failure:
                if failure.retry_after_seconds:
                    raise
                # The short, uneven pause keeps many callers from coming back to a restarting vendor all at once.
                await asyncio.sleep(_jitter.uniform(0.02, 0.1))
                outcome |= {"tries": 2, "status": None, "failure": "cancelled"}
        return await self._send(call, request, outcome)

    async def _send(self, call: Call, request: Outgoing, outcome: dict[str, object]) -> HttpReply:
        request.sent = False
        try:
            answer = await self._transport.send(request)
            try:
                outcome["status"] = answer.status
                _refuse_unusable(answer, call)
                reply = await self._read(answer) if call.reads_body else HttpReply(answer.status, {}, b"")
            finally:
                answer.close()
        except httpx2.RequestError as exc:
            outcome["failure"] = failure_of(exc)
            raise _translated(exc) from None
        except UpstreamFailed:
            outcome["failure"] = "unusable"
            raise
        outcome["failure"] = None
        return reply

    async def _read(self, answer: Incoming) -> HttpReply:
        """The whole body, unpacked no further than it may be large: a decompression bomb is stopped before it grows."""
        most = self._max_body_bytes
        body: bytes | bytearray = await answer.read(most)
        if len(body) <= most and _packing(answer) == "gzip":
            try:
                body = unpacked(body, most + 1)
            except zlib.error:
                raise httpx2.DecodingError("the body is not what it is said to be packed in") from None
        if len(body) > most:
            raise Unreadable(_ODD, sent=True)
        headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        return HttpReply(answer.status, headers, bytes(body))


class _TransientFailure(UpstreamFailed):
    """A failure after which the same request may succeed a moment later."""


def _outgoing(call: Call) -> Outgoing:
    """Everything that will be sent, from scratch: a browser's headers have no way in."""
    headers = {"User-Agent": "loyalty-bff", "Accept": "application/json"}
    headers |= {name.title(): value for name, value in call.headers.items()}
    headers |= {"Accept-Encoding": "gzip", "Traceparent": traceparent()}
    written = "".join((call.url, *headers, *headers.values()))
    if not (written.isascii() and written.isprintable()) or " " in call.url or len(call.url) > MAX_URL_CHARACTERS:
        raise Problem("invalid_request", "A value contains characters that are not allowed here.")
    return Outgoing(
        method=call.method,
        url=call.url,
        headers=list(headers.items()),
        body=call.body,
        # Getting connected may take half the time, so an unreachable vendor gives its slot back early.
        connect_seconds=call.timeout_seconds / 2,
    )


def _packing(answer: Incoming) -> str:
    return answer.headers.get("content-encoding", "identity").strip().lower()


def _refuse_unusable(response: Incoming, call: Call) -> None:
    status, seconds = response.status, _retry_after_seconds(response, call.most_retry_after_seconds)
    if status == 429:
        # A clear refusal: whatever was asked for did not happen.
        raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=seconds)
    if status in _TRANSIENT_STATUSES:
        raise _TransientFailure(f"It is down: status {status}.", sent=True, retry_after_seconds=seconds)
    if status >= 500:
        raise UpstreamFailed(f"It is down: status {status}.", sent=True)
    is_readable = _packing(response) in ("gzip", "identity") or not call.reads_body
    if not (200 <= status < 300 or 400 <= status < 500) or not is_readable:
        raise Unreadable(_ODD, sent=True)


def _retry_after_seconds(response: Incoming, most_seconds: int) -> int | None:
    value = response.headers.get("retry-after", "").strip()
    # A date counts as a minute, a number beyond reason as the most: a visitor is never told to wait longer than that.
    seconds = int(value[:6]) if value.isascii() and value.isdigit() else MAX_RETRY_AFTER_SECONDS
    return min(seconds, most_seconds) if value else None


def _translated(exc: httpx2.RequestError) -> UpstreamFailed:
    if isinstance(exc, TlsFailed):
        return UpstreamFailed(exc.words, sent=False)
    if isinstance(exc, httpx2.TimeoutException):
        return UpstreamTimeout(_LATE, sent=not isinstance(exc, _NOTHING_SENT))
    kind = _TransientFailure if isinstance(exc, _TRANSIENT_ERRORS) else UpstreamFailed
    return kind(_DOWN, sent=not isinstance(exc, _NOTHING_SENT))
