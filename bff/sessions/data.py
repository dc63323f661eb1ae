"""What is known of a signed-in shopper, and how long that may be kept."""

import math

import msgspec

from bff.vendors.shopify.tokens import ShopifyTokens


class LoyaltyToken(msgspec.Struct, frozen=True, kw_only=True):
    """The Okendo customer JWT, a secret, and when to renew it at the latest (Unix seconds)."""

    jwt: str
    expires_at: float

    def __repr__(self) -> str:
        return "<LoyaltyToken>"


class SessionData(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is encrypted. `session_nonce` is new at every sign-in and binds forms to it; `state` is the member's state
    when Okendo last told us, `storefront` the origin of the one through which they signed in, if it was one.
    `refresh_begun_at` says since when (Unix seconds) the refresh token is being sent, 0 when it is not."""

    customer_id: str
    # Stored under its earlier name, so that a deploy signs nobody out.
    session_nonce: str = msgspec.field(name="generation")
    created_at: float
    shopify: ShopifyTokens
    loyalty: LoyaltyToken | None = None
    state: str = "pending"
    name: str | None = None
    email: str | None = None
    storefront: str | None = None
    refresh_begun_at: float = 0.0
    # When it ends before any other limit (Unix seconds).
    ends_by: float = math.inf

    def __repr__(self) -> str:
        return "<SessionData>"

    @property
    def told_state(self) -> str | None:
        """The state, if Okendo has told it since they signed in; until then it would be a guess."""
        return None if self.loyalty is None else self.state


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session lives, unused and in all, and how many one customer may have."""

    idle_seconds: int
    absolute_seconds: int
    per_customer: int
