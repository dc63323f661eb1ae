"""Each of Okendo's operations asked once, if that changes nothing: did it answer, and with what we need?"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, get_origin

import msgspec

from bff.errors import Problem, UpstreamFailed, UpstreamTimeout, VendorRefused
from bff.ops.report import Check, Verdict
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.fields import Reply
from bff.vendors.okendo.operations import LOGIN, MERCHANT_CUSTOMER, OPERATIONS
from bff.vendors.okendo.row import ForMember, ForMerchant, Operation, Page, Public

# A Shopify customer access token, to read as that customer; from the environment, since arguments are seen by all.
TOKEN = "DOCTOR_CUSTOMER_TOKEN"  # noqa: S105
# A customer who cannot exist (RFC 2606): whoever is told that there is none has been let in.
NOBODY = "nobody@example.invalid"
LOGIN_FAILED = f"is not asked: {LOGIN.name} failed"
FRESH_TOKEN = f"Take a fresh token for {TOKEN}, then ask again."
LOOK = "Look at OKENDO_API_URL, then ask again."
LATER = "Ask again later."


async def probed(okendo: OkendoClient, rows: Mapping[str, Operation[Any]], token: str) -> list[Check]:
    """Every row that only reads; a member's rows only with a customer's token."""
    jwt, why_not, login = await _login(okendo, rows[LOGIN.name], token)
    others = [_probed(okendo, row, jwt, why_not) for name, row in rows.items() if name != LOGIN.name]
    return [login, *await asyncio.gather(*others)]


async def _login(okendo: OkendoClient, row: Operation[Any], token: str) -> tuple[str, str, Check]:
    """The member's JWT, or why there is none, and the line about it."""
    if not token:
        return "", f"needs {TOKEN}", _line(row, "note", f"needs {TOKEN}")
    try:
        login = await okendo.for_store(LOGIN, customer_account=token)
    except VendorRefused as refusal:
        if refusal.status == 401:
            return "", f"is not asked: {TOKEN} was refused", _refused(row, refusal, FRESH_TOKEN)
        return "", LOGIN_FAILED, _refused(row, refusal, _correct(row))
    except Problem as problem:
        return "", LOGIN_FAILED, _failed(row, problem)
    return login.token, "", _line(row, *described(row, login))


async def _probed(okendo: OkendoClient, row: Operation[Any], jwt: str, why_not: str) -> Check:
    # As shipped: what only reads is not for a file to say.
    if OPERATIONS[row.name].method != "GET":
        return _line(row, "note", "is not asked: it would change something")
    if isinstance(row, ForMerchant):
        return await _merchant(okendo, row)
    if isinstance(row, Public):
        return await _asked(row, okendo.public(row))
    if isinstance(row, ForMember) and jwt:
        return await _asked(row, okendo.for_member(row, jwt))
    return _line(row, "note", why_not)


async def _merchant(okendo: OkendoClient, row: ForMerchant[Any]) -> Check:
    try:
        await okendo.for_merchant(row, email=NOBODY)
    except VendorRefused as refusal:
        if refusal.status == 404 and row.name == MERCHANT_CUSTOMER.name:
            return _line(row, "ok", "answers: OKENDO_API_KEY is accepted")
        return _refused(row, refusal, "Compare OKENDO_USER_ID and OKENDO_API_KEY with Okendo's settings.")
    except Problem as problem:
        if problem.code == "feature_unavailable":
            return _line(row, "note", "needs OKENDO_API_KEY")
        return _failed(row, problem)
    return _line(row, "ok", "answers")


async def _asked(row: Operation[Any], answer: Awaitable[Any]) -> Check:
    try:
        verdict, detail = described(row, await answer)
    except VendorRefused as refusal:
        return _refused(row, refusal, _correct(row))
    except Problem as problem:
        return _failed(row, problem)
    return _line(row, verdict, detail, _correct(row) if verdict == "warn" else "")


def _refused(row: Operation[Any], refusal: VendorRefused, remedy: str) -> Check:
    root = "/enterprise" if isinstance(row, ForMerchant) else ""
    return _line(row, "fail", f"was refused with {refusal.status} at {row.method} {root}{row.path}", remedy)


def _failed(row: Operation[Any], problem: Problem) -> Check:
    """No answer, or one that is none; a call that could not even be made is the row's own fault."""
    if not isinstance(problem, UpstreamFailed):
        return _line(row, "fail", problem.detail, _correct(row))
    is_away = isinstance(problem, UpstreamTimeout) or not problem.sent
    is_busy = problem.retry_after_seconds is not None
    return _line(row, "fail", problem.why, LATER if is_busy else LOOK if is_away else _correct(row))


def _correct(row: Operation[Any]) -> str:
    return f"Correct [{row.name}] in OKENDO_OVERRIDES; docs/okendo.md says how."


def described(row: Operation[Any], reply: Any) -> tuple[Verdict, str]:
    """What an answer held: how many of what, and which of our fields nothing was found for."""
    kind = get_origin(row.reply)
    if kind is None:
        return "ok", "answers" + _never(row.item, [reply])
    items = reply.items if kind is Page else reply
    if not items:
        return "warn", "answers with an empty list: there is none, or it lies elsewhere in the answer"
    return "ok", f"answers with {len(items)}" + _never(row.item, items)


def _never(item_type: type[Reply], items: list[Any]) -> str:
    empty = [
        field.name
        for field in msgspec.structs.fields(item_type)
        if not field.required and all(getattr(item, field.name) == field.default for item in items)
    ]
    return f"; nothing found for {', '.join(empty)}" if empty else ""


def _line(row: Operation[Any], verdict: Verdict, detail: str, remedy: str = "") -> Check:
    return Check("okendo", f"{row.name} ({row.label})", verdict, detail, remedy)
