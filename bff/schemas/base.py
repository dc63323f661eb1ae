"""What every schema is made of, and values that several of them share."""

import math
from datetime import UTC, datetime
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


def member_state(state: str) -> MemberState:
    """Of a session, which may not have heard of it yet: then `pending`, which grants nothing. What does is decided by
    what Okendo says of the member at that moment."""
    return "enrolled" if state == "enrolled" else "blocked" if state == "blocked" else "pending"


def whole(points: float | None) -> int | None:
    """A balance in whole points; a part of a point cannot be spent."""
    return None if points is None else math.floor(points)


def price(points: float | None) -> int | None:
    """What something costs in whole points: for less nobody gets it."""
    return None if points is None else math.ceil(points)


class Schema(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base of what leaves the service as JSON."""


class Empty(Schema, frozen=True):
    """An empty object: that it was done says all. Scripts read every answer as JSON."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class SessionState(Schema, frozen=True):
    state: Annotated[
        VisitorState,
        described(
            "`anonymous`: nobody is signed in. `pending`: signed in, but has not joined. `enrolled`: a member. "
            "`blocked`: shut out by the merchant"
        ),
    ]

    expires_at: Annotated[
        Moment | None,
        described(
            "When the session ends at the latest, unless it is used until then or a token or ticket is handed in anew. "
            "Absent when nobody is signed in"
        ),
    ] = None

    @classmethod
    def example(cls) -> Self:
        return cls(state="enrolled", expires_at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC))


class Visitor(Schema, frozen=True):
    """Who is looking. `name` is for greeting only, `state` is None where nobody has told it yet."""

    state: VisitorState | None
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
