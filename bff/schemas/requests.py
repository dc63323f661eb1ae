"""Bodies that JSON routes accept, and the ticket that one of them is exchanged for."""

from datetime import UTC, datetime
from typing import Annotated, Self

import msgspec
from msgspec import UNSET, UnsetType

from bff.schemas.base import MemberState, Moment, Schema, described
from bff.schemas.member import Day, Month
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import Reward
from bff.schemas.retailers import Retailer

# Documentation alone: the route has a better sentence for what does not fit.
TOKEN = "^[!-~]{8,4096}$"  # noqa: S105  # A pattern.
TICKET = "^[A-Za-z0-9_-]{44}$"
CART_ID = "^gid://shopify/Cart/[A-Za-z0-9_.~%+=:-]{1,200}([?][A-Za-z0-9_.~%+=:&-]{1,200})?$"
CartId = Annotated[
    str,
    described(
        "The cart's id as Shopify gave it to your storefront, with its `?key=`, which is a secret: send it here alone",
        pattern=CART_ID,
    ),
]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of what a JSON route accepts: these fields and no others."""


class TokenHandIn(Body, frozen=True):
    """Exactly one of the two: the kind of token that the storefront holds."""

    customer_access_token: Annotated[str | UnsetType, described("Of the Customer Account API", pattern=TOKEN)] = UNSET
    storefront_customer_access_token: Annotated[
        str | UnsetType, described("Of the Storefront API, the legacy kind", pattern=TOKEN)
    ] = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @classmethod
    def example(cls) -> Self:
        return cls(customer_access_token="the-token-that-your-storefront-holds")  # noqa: S106  # An example.


class HandIn(TokenHandIn, frozen=True):
    """Exactly one of the three: a token that the storefront holds, or a ticket that its server got for one."""

    ticket: Annotated[str | UnsetType, described("Of `POST /session-tickets`; it works once", pattern=TICKET)] = UNSET

    @classmethod
    def example(cls) -> Self:
        return cls(ticket=SessionTicket.example().ticket)


class TicketRequest(TokenHandIn, frozen=True):
    """Exactly one of the two tokens, and perhaps for whom the ticket is."""

    origin: Annotated[
        str | UnsetType,
        described(
            "The storefront whose page will bring the ticket, one of `STOREFRONT_ORIGINS`: then nothing but a script "
            "of that origin can use it, by `POST /session`"
        ),
    ] = UNSET


class SessionTicket(Schema, frozen=True):
    """Give it to the shopper's browser within `expiresIn` seconds; it works once."""

    ticket: Annotated[
        str, described("For `POST /session` or `/session/continue?ticket=…`; it works once", pattern=TICKET)
    ]
    expires_in: Annotated[int, described("Seconds that it is good for")]

    def __repr__(self) -> str:
        return "<SessionTicket>"

    @classmethod
    def example(cls) -> Self:
        return cls("pX3vM0o6c1JmT2y8hQzK4wU7sLdE9aBgRfNiVtYkCjHr", 60)


class SessionHandle(Schema, frozen=True):
    """What your server acts for one customer with, together with its bearer token."""

    handle: Annotated[str, described("For the header `X-Loyalty-Session`; a secret of your server's")]
    state: Annotated[MemberState, described("`pending`: has not joined yet. `enrolled`: a member. `blocked`: shut out")]
    expires_at: Annotated[Moment, described("When it ends, however much it is used")]

    def __repr__(self) -> str:
        return "<SessionHandle>"

    @classmethod
    def example(cls) -> Self:
        handle = "pX3vM0o6c1JmT2y8hQzK4wU7sLdE9aBgRfNiVtYkCjHr.m5vQ0c9nXyB2rT7wLkZ8aS1dF4gH6jK3pO0iU9yT8rE"
        return cls(handle=handle, state="enrolled", expires_at=datetime(2026, 3, 1, 12, 15, tzinfo=UTC))


class EnrolmentRequest(Body, frozen=True):
    """What stood beside the button when the shopper clicked it."""

    policies_version: Annotated[str | int | float, described("`version` of the policies that were shown, unchanged")]
    policies_digest: Annotated[str, described("`digest` of the policies that were shown, unchanged")]

    @classmethod
    def example(cls) -> Self:
        policies = LegalPolicies.example()
        return cls(policies_version=policies.version, policies_digest=policies.digest)


class RedemptionRequest(Body, frozen=True):
    reward_id: Annotated[str, described("`id` of the reward")]
    cart_id: Annotated[
        str | UnsetType,
        described(
            "The shopper's cart, with its `?key=`: the code goes into it once there is one. It is no part of what the "
            "key stands for",
            pattern=CART_ID,
        ),
    ] = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @classmethod
    def example(cls) -> Self:
        return cls(reward_id=Reward.example().id)


class CartCouponRequest(Body, frozen=True):
    """Which cart a coupon goes into."""

    cart_id: CartId

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @classmethod
    def example(cls) -> Self:
        return cls(cart_id="gid://shopify/Cart/hWN2Jx0qK4?key=3f1d9b7a5c")


class ReferralRequest(Body, frozen=True):
    email: Annotated[str, described("The friend's address", format="email", maxLength=254)]

    @classmethod
    def example(cls) -> Self:
        return cls(email="friend@example.com")


class BirthdayRequest(Body, frozen=True):
    # Bounds for the documentation alone: a day that does not exist is a problem to be shown to the shopper.
    day: Annotated[Day, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 31})]
    month: Annotated[Month, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 12})]

    @classmethod
    def example(cls) -> Self:
        return cls(day=29, month=2)


class NoFields(Body, frozen=True):
    """An empty object."""

    @classmethod
    def example(cls) -> Self:
        return cls()


class LinkRequest(Body, frozen=True):
    """With neither `retailerId` nor `connectionId` the shopper chooses at Subtotal."""

    retailer_id: Annotated[str | UnsetType, described("`id` of one of `available`, to link it")] = UNSET
    connection_id: Annotated[
        str | UnsetType,
        described("`id` of an account to sign in to again; it goes before `retailerId`"),
    ] = UNSET
    return_to: Annotated[
        str | UnsetType,
        described(
            "Where the shopper comes back to: a path here or an address of an allowed storefront; any other leads to "
            "the overview"
        ),
    ] = UNSET

    @classmethod
    def example(cls) -> Self:
        return cls(retailer_id=Retailer.example().id)
