"""Bodies that JSON routes accept."""

from typing import Annotated

import msgspec

# Documentation alone: `_vouched` has a better sentence for what does not fit.
Token = Annotated[str | msgspec.UnsetType, msgspec.Meta(extra_json_schema={"pattern": "^[!-~]{8,4096}$"})]


class HandIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of the two: the kind of token that the storefront holds."""

    customer_access_token: Token = msgspec.field(default=msgspec.UNSET, name="customerAccessToken")
    storefront_customer_access_token: Token = msgspec.field(default=msgspec.UNSET, name="storefrontCustomerAccessToken")


class SessionTicket(msgspec.Struct, frozen=True, rename="camel"):
    """Lead the shopper's browser to `/session/continue?ticket=…` within `expiresIn` seconds; it works once."""

    ticket: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{44}$")]
    expires_in: int


class EnrolmentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What stood beside the button when the shopper clicked it."""

    policies_version: str | int | float
    policies_digest: str


class RedemptionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    reward_id: str


class ReferralRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, msgspec.Meta(extra_json_schema={"format": "email", "maxLength": 254})]


class BirthdayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    # Bounds for the documentation alone: a day that does not exist is a problem to be shown to the shopper.
    day: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 31})]
    month: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": 12})]


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


class LinkRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """With neither `retailerId` nor `connectionId` the shopper chooses at Subtotal."""

    retailer_id: str | msgspec.UnsetType = msgspec.UNSET
    connection_id: str | msgspec.UnsetType = msgspec.UNSET
    return_to: str | msgspec.UnsetType = msgspec.UNSET
