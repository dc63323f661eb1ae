"""The door to the vendors as tests use it: in a loop of their own, towards a vendor made of sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from typing import Any, ParamSpec

import pytest

from bff.errors import UpstreamFailed
from bff.telemetry.logs import copied_to
from bff.vendors.transport import Transport
from bff.vendors.upstream import Call, Upstream
from support.raw_server import Answer, RawServer

Given = ParamSpec("Given")


def in_a_loop(story: Callable[Given, Awaitable[None]]) -> Callable[Given, None]:
    """Run a story in a loop that complains about everything left open."""

    @wraps(story)
    def test(*args: Given.args, **kwargs: Given.kwargs) -> None:
        asyncio.run(_awaited(story(*args, **kwargs)), debug=True)

    return test


async def _awaited(story: Awaitable[None]) -> None:
    async with asyncio.timeout(20):
        await story


@asynccontextmanager
async def vendor(*answers: Answer, **options: Any) -> AsyncIterator[tuple[RawServer, Upstream]]:
    async with RawServer(*answers) as server, door(**options) as upstream:
        yield server, upstream


@asynccontextmanager
async def door(transport: Transport | None = None, **options: Any) -> AsyncIterator[Upstream]:
    upstream = Upstream(transport or Transport(), **options)
    try:
        yield upstream
    finally:
        await upstream.aclose()


@contextmanager
def lines_written() -> Iterator[list[Mapping[str, Any]]]:
    """The log lines about calls meanwhile."""
    calls = list[Mapping[str, Any]]()
    with copied_to(lambda line: calls.append(line) if line["event"] == "call" else None):
        yield calls


def a_get(server: RawServer, path: str = "/rewards", **changes: Any) -> Call:
    given: dict[str, Any] = {"vendor": "okendo", "operation": "rewards", "method": "GET", "timeout_seconds": 3.0}
    return Call(**{**given, "url": server.url + path, **changes})


def a_post(server: RawServer, **changes: Any) -> Call:
    return a_get(server, "/redeem", **{"operation": "redeem", "method": "POST", "body": b"{}", **changes})


async def failure(upstream: Upstream, call: Call) -> UpstreamFailed:
    with pytest.raises(UpstreamFailed) as caught:
        await upstream.call(call)
    return caught.value
