"""What every schema is made of, and values that several of them share."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from bff.errors import Code

VisitorState = Literal["anonymous", "pending", "enrolled", "blocked"]
MemberState = Literal["pending", "enrolled", "blocked"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def member_state(state: str) -> MemberState:
    """Unknown words count as `pending`: nothing that needs a member is offered, and Okendo decides about joining."""
    return "enrolled" if state == "enrolled" else "blocked" if state == "blocked" else "pending"


def whole(points: float | None) -> int | None:
    return None if points is None else int(points)


def amount(money: str | float | None) -> str | None:
    """An amount to the last cent, without idle zeros; the vendor does not say in which currency."""
    if not isinstance(money, int | float):
        return money
    return f"{money:.3f}".rstrip("0").rstrip(".")


def store_credit(money: str | float | None, currency: str | None) -> str | None:
    """An amount with its currency where the program tells, such as "5 USD"."""
    return None if money is None else f"{amount(money)} {currency or ''}".strip()


class Schema(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what leaves the service as JSON."""


class SessionState(Schema, frozen=True):
    state: VisitorState


class Visitor(Schema, frozen=True):
    """Who is looking. `name` is for greeting only."""

    state: VisitorState
    name: str | None = None


class ProblemDetails(Schema, frozen=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: Code
    request_id: str
    retryable: bool
