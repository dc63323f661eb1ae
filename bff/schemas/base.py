"""What every schema is made of, and values that several of them share."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec

from bff.errors import Code

VisitorState = Literal["anonymous", "pending", "enrolled", "blocked"]
MemberState = Literal["pending", "enrolled", "blocked"]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def described(text: str, **json_schema: Any) -> msgspec.Meta:
    """What a field means, for the documentation: `Annotated[int, described("What it costs")]`. `json_schema` narrows
    its type there and checks nothing."""
    return msgspec.Meta(description=text, extra_json_schema=json_schema or None)


StoreCredit = Annotated[str | None, described("An amount, with its currency where the program tells, such as `5 USD`")]


def member_state(state: str) -> MemberState:
    """Unknown words count as `pending`: nothing that needs a member is offered, and Okendo decides about joining."""
    return "enrolled" if state == "enrolled" else "blocked" if state == "blocked" else "pending"


def whole(points: float | None) -> int | None:
    """A balance or a price in whole points; a part of a point cannot be spent."""
    return None if points is None else math.floor(points)


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
    state: Annotated[
        VisitorState,
        described(
            "`anonymous`: nobody is signed in. `pending`: signed in, but has not joined. `enrolled`: a member. "
            "`blocked`: shut out by the merchant"
        ),
    ]

    @classmethod
    def example(cls) -> Self:
        return cls(state="enrolled")


class Visitor(Schema, frozen=True):
    """Who is looking. `name` is for greeting only."""

    state: VisitorState
    name: str | None = None


class ProblemDetails(Schema, frozen=True):
    """Why a request was refused (RFC 9457)."""

    type: Annotated[str, described("The `code` as a URI")]
    title: Annotated[str, described("The `code` in words")]
    status: Annotated[int, described("The same as the HTTP status")]
    detail: Annotated[str, described("A sentence about it; with 409 and 422 fit to be shown to the shopper")]
    code: Annotated[Code, described("What to decide by")]
    request_id: Annotated[str, described("`X-Request-Id` of this answer; quote it when you ask about it")]
    retryable: Annotated[bool, described("Whether the same request may succeed later")]
