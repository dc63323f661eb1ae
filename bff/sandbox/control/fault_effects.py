"""What a fault does to one call: an answer instead of the work, or something that happens after it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope

from bff.sandbox.control.faults import Fault
from bff.sandbox.json import JsonObject, encode

# The ASGI extension that `serving` gives every request: the transport it came over.
CONNECTION = "sandbox.connection"
HUGE_CHUNK = b"x" * 65_536
HUGE_CHUNKS = 128
# A refusal in each vendor's dialect; Shopify's is the one it gives for its own transient failures.
FAULT_BODIES: Mapping[str, JsonObject] = {
    "okendo": {"error": {"description": "The sandbox was told to fail.", "code": "sandbox_fault"}},
    "shopify": {
        "error": "",
        "error_description": "Access token request error.",
        "errors": "The sandbox was told to fail.",
    },
    "subtotal": {"detail": "The sandbox was told to fail."},
}


async def answer_under_fault(fault: Fault | None, vendor: str, handle: Callable[[], Response]) -> Response | None:
    """The reply to a call that meets this fault; None when the connection is to be closed without one."""
    if fault is None:
        return handle()
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    if fault.kind == "cut_before":
        return None
    if fault.kind in INSTEAD:
        return INSTEAD[fault.kind](fault, vendor)
    genuine = handle()
    if fault.kind == "status_after":
        return _refusal(fault, vendor)
    if fault.kind == "delay_after":
        await asyncio.sleep(fault.seconds)
    return AFTERWARDS.get(fault.kind, _unchanged)(genuine)


async def close_connection(scope: Scope, receive: Receive) -> None:
    """Close the connection without a byte of answer, and wait until it is closed."""
    connection = scope.get("extensions", {}).get(CONNECTION)
    if connection is None:
        raise RuntimeError("connections can only be cut when the sandbox runs under bff.sandbox.serving")
    connection["transport"].close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _refusal(fault: Fault, vendor: str) -> Response:
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return Response(encode(FAULT_BODIES[vendor]), fault.status, headers, "application/json")


def _page(fault: Fault, vendor: str) -> Response:
    """What a CDN shows when it does not reach the vendor, or keeps a client away from it."""
    return HTMLResponse(f"<!doctype html><title>{fault.status}</title><h1>Error {fault.status}</h1>", fault.status)


def _redirect(fault: Fault, vendor: str) -> Response:
    """To the address where clouds keep their machines' credentials; nobody may follow."""
    return Response(status_code=302, headers={"location": "http://169.254.169.254/"})


def _unchanged(genuine: Response) -> Response | None:
    return genuine


def _lost(genuine: Response) -> Response | None:
    return None


def _garbage(genuine: Response) -> Response | None:
    return Response(b'{"token": "eyJ", "rules": [{', media_type="application/json")


def _empty(genuine: Response) -> Response | None:
    return Response(b"{}", genuine.status_code, media_type="application/json")


def _html(genuine: Response) -> Response | None:
    return HTMLResponse("<!doctype html><title>Just a moment</title><h1>Checking your browser</h1>")


def _huge(genuine: Response) -> Response | None:
    return StreamingResponse(_eight_mebibytes(), media_type="application/json")


def _with_cookie(genuine: Response) -> Response | None:
    genuine.set_cookie("vendor_session", "must-not-reach-a-browser", path="/")
    return genuine


async def _eight_mebibytes() -> AsyncIterator[bytes]:
    yield b'{"padding": ["'
    for _ in range(HUGE_CHUNKS):
        yield HUGE_CHUNK
    yield b'"]}'


INSTEAD: Mapping[str, Callable[[Fault, str], Response]] = {
    "status": _refusal, "status_page": _page, "redirect": _redirect,
}  # fmt: skip
AFTERWARDS: Mapping[str, Callable[[Response], Response | None]] = {
    "cut_after": _lost, "empty": _empty, "garbage": _garbage, "html": _html, "huge": _huge, "set_cookie": _with_cookie,
}  # fmt: skip
