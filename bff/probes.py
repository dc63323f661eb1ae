"""Each of Okendo's operations asked once, if that changes nothing: did it answer, and with what we need?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args, get_origin

import msgspec

from bff.endpoints import LOGIN, MERCHANT_CUSTOMER, ForMember, ForMerchant, Page, Public, Row
from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.findings import Finding, Verdict
from bff.okendo import Okendo

# A Shopify customer access token, to read as that customer; from the environment, since arguments are seen by all.
TOKEN = "DOCTOR_CUSTOMER_TOKEN"  # noqa: S105
# A customer who cannot exist (RFC 2606): whoever is told that there is none has been let in.
NOBODY = "nobody@example.invalid"


async def probed(okendo: Okendo, rows: Mapping[str, Row[Any]], token: str) -> list[Finding]:
    """Every row that only reads; a member's rows only with a customer's token."""
    jwt, login = await _login(okendo, token) if token else ("", _left_alone(LOGIN, f"needs {TOKEN}"))
    others = [_probed(okendo, row, jwt) for name, row in rows.items() if name != LOGIN.name]
    return [login, *await asyncio.gather(*others)]


async def _login(okendo: Okendo, token: str) -> tuple[str, Finding]:
    jwt = ""

    async def ask() -> Any:
        nonlocal jwt
        login = await okendo.for_store(LOGIN, customer_account=token)
        jwt = login.token
        return login

    finding = await _asked(LOGIN, ask)
    return jwt, finding


async def _probed(okendo: Okendo, row: Row[Any], jwt: str) -> Finding:
    if row.method != "GET":
        return _left_alone(row, "is not asked: it would change something")
    if isinstance(row, ForMerchant):
        return await _merchant(okendo, row)
    if isinstance(row, Public):
        return await _asked(row, lambda: okendo.public(row))
    if isinstance(row, ForMember) and jwt:
        return await _asked(row, lambda: okendo.for_member(row, jwt))
    return _left_alone(row, f"needs {TOKEN}")


async def _merchant(okendo: Okendo, row: ForMerchant[Any]) -> Finding:
    try:
        await okendo.for_merchant(row, email=NOBODY)
    except VendorRefused as refusal:
        if refusal.status == 404 and row.name == MERCHANT_CUSTOMER.name:
            return _line(row, "ok", "answers: OKENDO_API_KEY is accepted")
        detail = f"was refused with {refusal.status} at {row.method} /enterprise{row.path}"
        return _line(row, "fail", detail, "Compare OKENDO_USER_ID and OKENDO_API_KEY with Okendo's settings.")
    except UpstreamFailed as failure:
        return _line(row, "fail", failure.detail, "Look at OKENDO_API_URL, then ask again.")
    except Problem:
        return _line(row, "note", "needs OKENDO_API_KEY")
    return _line(row, "ok", "answers")


async def _asked(row: Row[Any], ask: Callable[[], Awaitable[Any]]) -> Finding:
    correct = f"Correct [{row.name}] in OKENDO_OVERRIDES; docs/okendo.md says how."
    try:
        verdict, detail = described(row, await ask())
    except VendorRefused as refusal:
        return _line(row, "fail", f"was refused with {refusal.status} at {row.method} {row.path}", correct)
    except UpstreamFailed as failure:
        return _line(row, "fail", failure.why, correct)
    return _line(row, verdict, detail, correct if verdict == "warn" else "")


def described(row: Row[Any], reply: Any) -> tuple[Verdict, str]:
    """What an answer held: how many of what, and which of our fields nothing was found for."""
    kind = get_origin(row.reply)
    if kind is None:
        return "ok", "answers" + _never(row.reply, [reply])
    items = reply.items if kind is Page else reply
    (shape,) = get_args(row.reply)
    if not items:
        return "warn", "answers with an empty list: there is none, or it lies elsewhere in the answer"
    return "ok", f"answers with {len(items)}" + _never(shape, items)


def _never(shape: type[msgspec.Struct], items: list[Any]) -> str:
    empty = [
        field.name
        for field in msgspec.structs.fields(shape)
        if not field.required and all(getattr(item, field.name) == field.default for item in items)
    ]
    return f"; nothing found for {', '.join(empty)}" if empty else ""


def _left_alone(row: Row[Any], why: str) -> Finding:
    return _line(row, "note", why)


def _line(row: Row[Any], verdict: Verdict, detail: str, remedy: str = "") -> Finding:
    return Finding("okendo", f"{row.name} ({row.label})", verdict, detail, remedy)
