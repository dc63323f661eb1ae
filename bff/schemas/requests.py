"""Bodies that JSON routes accept, and the ticket that one of them is exchanged for."""

from typing import Annotated, Self

import msgspec
from msgspec import UNSET, UnsetType

from bff.schemas.base import Schema, described
from bff.schemas.member import Day, Month
from bff.schemas.policies import LegalPolicies
from bff.schemas.program import Reward
from bff.schemas.retailers import Retailer

# Documentation alone: the route has a better sentence for what does not fit.
TOKEN = "^[!-~]{8,4096}$"  # noqa: S105


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of what a JSON route accepts: these fields and no others."""


class HandIn(Body, frozen=True):
    """Exactly one of the two: the kind of token that the storefront holds."""

    customer_access_token: Annotated[str | UnsetType, described("Of the Customer Account API", pattern=TOKEN)] = UNSET
    storefront_customer_access_token: Annotated[
        str | UnsetType, described("Of the Storefront API, the legacy kind", pattern=TOKEN)
    ] = UNSET

    @classmethod
    def example(cls) -> Self:
        return cls(customer_access_token="the-token-that-your-storefront-holds")  # noqa: S106


class SessionTicket(Schema, frozen=True):
    """Lead the shopper's browser to `/session/continue?ticket=…` within `expiresIn` seconds; it works once."""

    ticket: Annotated[str, described("For `/session/continue?ticket=…`; it works once", pattern="^[A-Za-z0-9_-]{44}$")]
    expires_in: Annotated[int, described("Seconds that it is good for")]

    @classmethod
    def example(cls) -> Self:
        return cls("pX3vM0o6c1JmT2y8hQzK4wU7sLdE9aBgRfNiVtYkCjHr", 60)


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

    @classmethod
    def example(cls) -> Self:
        return cls(reward_id=Reward.example().id)


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
