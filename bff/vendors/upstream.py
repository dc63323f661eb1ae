"""The only way to the network: every vendor call passes here, with a deadline, a size limit and one log line."""

import asyncio
import math
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any
from unicodedata import category
from urllib.parse import quote

import httpx2
import msgspec
import structlog

from bff.errors import Problem, UpstreamFailed, UpstreamTimeout
from bff.telemetry.metrics import observe_call
from bff.telemetry.timing import count_call, spent_on
from bff.telemetry.tracing import traceparent

log = structlog.get_logger("upstream")
# A source of its own: it spreads load and guards nothing, and nobody else's seed matters to it.
_jitter = random.Random()  # noqa: S311
MAX_JSON_BYTES = 1_048_576
MAX_JSON_DEPTH = 32
MAX_SEGMENT_CHARACTERS = 128
MAX_RETRY_AFTER_SECONDS = 60
# How long an operation is not called after a 429 without Retry-After.
BUSY_SECONDS = 1
# A call waits this long at most for one of its vendor's slots; a longer queue only passes the vendor's trouble on.
MAX_QUEUE_SECONDS = 0.25
_KEPT_HEADERS = ("content-type", "retry-after", "www-authenticate", "cache-control", "x-request-id", "date")
_TRANSIENT_STATUSES = frozenset({502, 503, 504})
_TRANSIENT_ERRORS = (httpx2.ConnectError, httpx2.ReadError, httpx2.RemoteProtocolError)
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.LocalProtocolError)
_DOWN = "It could not be reached."
_LATE = "It did not answer in time."
_BUSY = "It is busy."
_ODD = "It gave an answer that cannot be used."


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a vendor. `timeout_seconds` covers everything: waiting, connecting, both tries, the last byte.

    `vendor` and `operation` are constants of the code: they name the call in logs. An `idempotent` GET is tried once
    more when the first try broke off; nothing else ever is. An operation that `backs_off` is not called again for as
    long as the vendor's Retry-After said; without it the caller keeps a pace of its own.
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
                value = msgspec.json.decode(self.body)
                if not _nests_deeper(value, MAX_JSON_DEPTH):
                    return value
        raise UpstreamFailed(_ODD, sent=True)

    def __repr__(self) -> str:
        """Without headers and body, so that a logged reply gives nothing away."""
        return f"Reply({self.status}, {len(self.body)} bytes)"


class Upstream:
    """Calls vendors: at most `concurrency_per_vendor` at once to each, unpacked bodies up to `max_body_bytes`."""

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport,
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
        request = _request(call)
        self._check_backoff(call)
        outcome: dict[str, object] = {"tries": 1, "status": None, "failure": "cancelled"}
        started = time.perf_counter()
        try:
            count_call()
            with spent_on("vendor"):
                async with asyncio.timeout(call.timeout_seconds), self._slot(call, outcome):
                    return await self._send_with_retry(call, request, outcome)
        except TimeoutError:
            outcome["failure"] = "deadline"
            raise UpstreamTimeout(_LATE, sent=request.extensions.get("sent", True)) from None
        except UpstreamFailed as failure:
            self._start_backoff(call, outcome, failure)
            raise
        finally:
            seconds = time.perf_counter() - started
            outcome["ms"] = round(seconds * 1000, 1)
            observe_call(call.vendor, call.operation, str(outcome["failure"] or outcome["status"]), seconds)
            log.info("call", vendor=call.vendor, operation=call.operation, method=call.method, **outcome)

    async def aclose(self) -> None:
        """Close the transport and with it every connection."""
        await self._transport.aclose()

    def _check_backoff(self, call: Call) -> None:
        """Raises UpstreamFailed, nothing sent, until the time that the vendor has named for this (K7)."""
        left = self._not_before.get((call.vendor, call.operation), 0) - self._clock()
        if call.backs_off and 0 < left <= MAX_RETRY_AFTER_SECONDS:
            raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=math.ceil(left))

    def _start_backoff(self, call: Call, outcome: Mapping[str, object], failure: UpstreamFailed) -> None:
        if outcome["status"] not in (429, 503):
            return
        seconds = failure.retry_after_seconds
        if seconds is None and outcome["status"] == 429:
            seconds = BUSY_SECONDS
        if seconds:
            self._not_before[call.vendor, call.operation] = self._clock() + seconds

    @asynccontextmanager
    async def _slot(self, call: Call, outcome: dict[str, object]) -> AsyncIterator[None]:
        """One of the vendor's slots, so that a vendor that hangs cannot take the others' connections with it."""
        slots = self._slots[call.vendor]
        try:
            async with asyncio.timeout(min(MAX_QUEUE_SECONDS, call.timeout_seconds / 4)):
                await slots.acquire()
        except TimeoutError:
            outcome["failure"] = "no_slot"
            raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=1) from None
        try:
            yield
        finally:
            slots.release()

    async def _send_with_retry(self, call: Call, request: httpx2.Request, outcome: dict[str, object]) -> HttpReply:
        if call.idempotent and call.method == "GET":
            try:
                return await self._send(request, outcome)
            except _TransientFailure as failure:
                if failure.retry_after_seconds:
                    raise
                # The short, uneven pause keeps many callers from coming back to a restarting vendor all at once.
                await asyncio.sleep(_jitter.uniform(0.02, 0.1))
                outcome |= {"tries": 2, "status": None, "failure": "cancelled"}
        return await self._send(request, outcome)

    async def _send(self, request: httpx2.Request, outcome: dict[str, object]) -> HttpReply:
        try:
            response = await self._transport.handle_async_request(request)
            try:
                outcome["status"] = response.status_code
                _refuse_unusable(response)
                reply = await self._read(response)
            finally:
                await response.aclose()
        except httpx2.RequestError as exc:
            outcome["failure"] = type(exc).__name__
            raise _translated(exc) from None
        except UpstreamFailed:
            outcome["failure"] = "unusable"
            raise
        outcome["failure"] = None
        return reply

    async def _read(self, response: httpx2.Response) -> HttpReply:
        """The whole body, unpacked piece by piece, so that a decompression bomb is stopped before it has grown."""
        body = bytearray()
        async with aclosing(response.aiter_bytes()) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > self._max_body_bytes:
                    raise UpstreamFailed(_ODD, sent=True)
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        return HttpReply(response.status_code, headers, bytes(body))


class _TransientFailure(UpstreamFailed):
    """A failure after which the same request may succeed a moment later."""


def url_for(base: str, template: str, **segments: str) -> str:
    """`base` with `template` after it, each `{name}` in it filled with that segment, percent-encoded.

    Raises Problem `not_found` for a segment that could change the path: empty, a dot segment, longer than 128
    characters, or with a slash, a backslash, a percent sign or a control character in it.
    """
    return base.rstrip("/") + template.format_map({name: _segment(value) for name, value in segments.items()})


def _segment(value: str) -> str:
    fits = 0 < len(value) <= MAX_SEGMENT_CHARACTERS and value not in (".", "..")
    if not fits or any(c in "/\\%" or category(c) in ("Cc", "Cs") for c in value):
        raise Problem("not_found", "There is nothing at this address.")
    return quote(value, safe="")


def _request(call: Call) -> httpx2.Request:
    """Everything that will be sent, from scratch: a browser's headers have no way in."""
    headers = {"User-Agent": "loyalty-bff", "Accept": "application/json"}
    headers |= {name.title(): value for name, value in call.headers.items()}
    headers |= {"Accept-Encoding": "gzip", "Traceparent": traceparent()}
    if not all(text.isascii() and text.isprintable() for pair in headers.items() for text in pair):
        raise Problem("invalid_request", "A value contains characters that are not allowed here.")
    # Getting connected may take half the time, so an unreachable vendor gives its slot back early.
    quarter = call.timeout_seconds / 4
    waits = {"timeout": {"pool": quarter, "connect": quarter, "read": call.timeout_seconds}}
    try:
        return httpx2.Request(call.method, call.url, headers=headers, content=call.body, extensions=waits)
    except httpx2.InvalidURL:
        raise Problem("invalid_request", "A value contains characters that are not allowed here.") from None


def _refuse_unusable(response: httpx2.Response) -> None:
    status = response.status_code
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if status == 429:
        # A clear refusal: whatever was asked for did not happen.
        raise UpstreamFailed(_BUSY, sent=False, retry_after_seconds=_retry_after_seconds(response))
    if status in _TRANSIENT_STATUSES:
        raise _TransientFailure(_DOWN, sent=True, retry_after_seconds=_retry_after_seconds(response))
    if not (200 <= status < 300 or 400 <= status < 500) or packing not in ("gzip", "identity"):
        raise UpstreamFailed(_ODD, sent=True)


def _retry_after_seconds(response: httpx2.Response) -> int | None:
    value = response.headers.get("retry-after", "").strip()
    # A date, or a number beyond reason, counts as the cap: a visitor is never told to wait longer than that.
    seconds = int(value) if value.isascii() and value.isdigit() and len(value) <= 4 else MAX_RETRY_AFTER_SECONDS
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if value else None


def _translated(exc: httpx2.RequestError) -> UpstreamFailed:
    if isinstance(exc, httpx2.TimeoutException):
        return UpstreamTimeout(_LATE, sent=not isinstance(exc, _NOTHING_SENT))
    kind = _TransientFailure if isinstance(exc, _TRANSIENT_ERRORS) else UpstreamFailed
    return kind(_DOWN, sent=not isinstance(exc, _NOTHING_SENT))


def _nests_deeper(value: object, limit: int) -> bool:
    """Whether lists and objects lie more than `limit` deep, looked at one level at a time."""
    level = [value]
    for _ in range(limit + 1):
        lists = [item for item in level if isinstance(item, list)]
        objects = [item for item in level if isinstance(item, dict)]
        if not lists and not objects:
            return False
        level = [child for each in (*lists, *(item.values() for item in objects)) for child in each]
    return True
