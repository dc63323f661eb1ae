"""Each of Okendo's operations asked once, if that changes nothing: did it answer, and with what we need?"""

import asyncio
from collections.abc import Awaitable, Mapping, Set
from typing import Any, NamedTuple, get_origin

import msgspec

from bff.errors import Problem, Unreadable, UpstreamFailed, VendorRefused
from bff.ops.report import Check, Verdict
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.operations import LOGIN, MERCHANT_CUSTOMER, OPERATIONS
from bff.vendors.okendo.refusals import REFUSALS
from bff.vendors.okendo.row import ForMember, ForMerchant, Operation, Page, Public

# A Shopify customer access token, to read as that customer; from the environment, since arguments are seen by all.
TOKEN = "DOCTOR_CUSTOMER_TOKEN"  # noqa: S105  # A name, not a secret.
# A customer who cannot exist (RFC 2606): whoever is told that there is none has been let in.
NOBODY = "nobody@example.invalid"
LOGIN_FAILED = f"is not asked: {LOGIN.name} failed"
FRESH_TOKEN = f"Take a fresh token for {TOKEN}, then ask again."
LOOK = "Look at OKENDO_API_URL, then ask again."
LATER = "Ask again later."
DOWN = "Ask again later. If it stays so, look at OKENDO_API_URL and ask Okendo; no row is wrong."
KEYS = "Compare OKENDO_USER_ID and OKENDO_PARTNER_ID with what Okendo gave you."
ENROLLED = f"To see it answer, ask with {TOKEN} of a member who is enrolled."


class Member(NamedTuple):
    """As whom a member's rows are asked: with a JWT, or none and the reason; `state` as Okendo tells it."""

    jwt: str = ""
    why_not: str = ""
    state: str | None = None


async def probed(okendo: OkendoClient, rows: Mapping[str, Operation[Any]], token: str) -> list[Check]:
    """Every row that only reads; a member's rows only with a customer's token."""
    member, login = await _login(okendo, rows[LOGIN.name], token)
    others = [_probed(okendo, row, member) for name, row in rows.items() if name != LOGIN.name]
    return [login, *await asyncio.gather(*others)]


async def _login(okendo: OkendoClient, row: Operation[Any], token: str) -> tuple[Member, Check]:
    """As whom to ask, and the line about it."""
    if not token:
        return Member(why_not=f"needs {TOKEN}"), _line(row, "note", f"needs {TOKEN}")
    try:
        login = await okendo.for_store(LOGIN, customer_account=token)
    except VendorRefused as refusal:
        if refusal.status == 401 and not refusal.by_page:
            return Member(why_not=f"is not asked: {TOKEN} was refused"), _refused(row, refusal, FRESH_TOKEN)
        return Member(why_not=LOGIN_FAILED), _refused(row, refusal)
    except Problem as problem:
        return Member(why_not=LOGIN_FAILED), _failed(row, problem)
    return Member(login.token, state=login.state), _line(row, *described(row, login, okendo.found(row)))


async def _probed(okendo: OkendoClient, row: Operation[Any], member: Member) -> Check:
    # As shipped: what only reads is not for a file to say.
    if OPERATIONS[row.name].method != "GET":
        return _line(row, "note", "is not asked: it would change something")
    if isinstance(row, ForMerchant):
        return await _merchant(okendo, row)
    if isinstance(row, Public):
        return await _asked(okendo, row, okendo.public(row), member)
    if isinstance(row, ForMember) and member.jwt:
        return await _asked(okendo, row, okendo.for_member(row, member.jwt), member)
    return _line(row, "note", member.why_not)


async def _merchant(okendo: OkendoClient, row: ForMerchant[Any]) -> Check:
    try:
        await okendo.for_merchant(row, email=NOBODY)
    except VendorRefused as refusal:
        if refusal.status == 404 and row.name == MERCHANT_CUSTOMER.name and not refusal.by_page:
            return _line(row, "ok", "answers: OKENDO_API_KEY is accepted")
        return _refused(row, refusal)
    except Problem as problem:
        if problem.code == "feature_unavailable":
            return _line(row, "note", "needs OKENDO_API_KEY")
        return _failed(row, problem)
    return _line(row, "ok", "answers")


async def _asked(okendo: OkendoClient, row: Operation[Any], answer: Awaitable[Any], member: Member) -> Check:
    try:
        verdict, detail = described(row, await answer, okendo.found(row))
    except VendorRefused as refusal:
        if isinstance(row, ForMember) and _is_of_the_state(refusal, member):
            detail = f"was refused with 403, which is documented of a customer who is {member.state}"
            return _line(row, "note", detail, ENROLLED)
        return _refused(row, refusal)
    except Problem as problem:
        return _failed(row, problem)
    return _line(row, verdict, detail)


def _is_of_the_state(refusal: VendorRefused, member: Member) -> bool:
    """Whether the answer is Okendo's own no to somebody who has not joined, or is blocked."""
    is_documented = refusal.status == 403 and (refusal.operation, 403) in REFUSALS
    return is_documented and not refusal.by_page and member.state in {"pending", "blocked"}


def _refused(row: Operation[Any], refusal: VendorRefused, remedy: str = "") -> Check:
    root = "/enterprise" if isinstance(row, ForMerchant) else ""
    page = " by a web page, as from a CDN," if refusal.by_page else ""
    detail = f"was refused{page} with {refusal.status} at {row.method} {root}{row.path}"
    return _line(row, "fail", detail, remedy or _remedy(row, refusal))


def _remedy(row: Operation[Any], refusal: VendorRefused) -> str:
    """A wrong path is not found; who is kept out needs other keys, or is kept out by something in front of Okendo."""
    if refusal.by_page and refusal.status != 404:
        return DOWN
    if isinstance(row, ForMerchant):
        return "Compare OKENDO_USER_ID and OKENDO_API_KEY with Okendo's settings."
    if refusal.status == 401:
        return KEYS
    return f"{KEYS} Else correct {_section(row)}" if refusal.status == 403 else f"Correct {_section(row)}"


def _failed(row: Operation[Any], problem: Problem) -> Check:
    """No answer, or one that is none; a call that could not even be made is the row's own fault."""
    if not isinstance(problem, UpstreamFailed):
        return _line(row, "fail", problem.detail, f"Correct {_section(row)}")
    if isinstance(problem, Unreadable):
        return _line(row, "fail", problem.why, f"Correct {_section(row)}")
    return _line(row, "fail", problem.why, _later(problem))


def _later(problem: UpstreamFailed) -> str:
    if problem.retry_after_seconds is not None:
        return LATER
    return DOWN if problem.sent and problem.status == 502 else LOOK


def _section(row: Operation[Any]) -> str:
    return f"[{row.name}] in OKENDO_OVERRIDES; docs/okendo.md says how."


def described(row: Operation[Any], reply: Any, found: Set[str]) -> tuple[Verdict, str]:
    """What an answer held: how many of what, and which of our fields were in none of it, `found` being the others."""
    kind = get_origin(row.reply)
    if kind is None:
        return "ok", "answers" + _never(row, found)
    items = reply.items if kind is Page else reply
    if not items:
        return "note", "answers with an empty list: there is none, so nothing of it could be looked at"
    return "ok", f"answers with {len(items)}" + _never(row, found)


def _never(row: Operation[Any], found: Set[str]) -> str:
    absent = [field.name for field in msgspec.structs.fields(row.item) if field.name not in found]
    return f"; nothing found for {', '.join(absent)}" if absent else ""


def _line(row: Operation[Any], verdict: Verdict, detail: str, remedy: str = "") -> Check:
    return Check("okendo", f"{row.name} ({row.label})", verdict, detail, remedy)
