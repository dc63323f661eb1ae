"""The settings that belong to one owner each: a store, a vendor or a capability."""

import msgspec

from bff.settings.actions import Action


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings with one owner. `repr` shows no value, since some of them are secret (checklist N3)."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class DatabaseSettings(Group, frozen=True, kw_only=True):
    """PostgreSQL, and how many connections to it a process may hold. In production `url` says which TLS is wanted
    (`sslmode`), unless it need not have any."""

    url: str
    require_tls: bool
    connections: int

    @property
    def queue_connections(self) -> int:
        """Those of the worker that are for its queue alone."""
        return self.connections // 2


class ValkeySettings(Group, frozen=True, kw_only=True):
    """Valkey, and how long and how often a process may ask it at once."""

    url: str
    require_tls: bool
    verify_tls: bool
    connections: int
    timeout_seconds: float


class ShopifySettings(Group, frozen=True, kw_only=True):
    """The shop, and this service as a client of its customer accounts.

    Without `client_secret` this is a public client; without `issuer` the first one seen is pinned.
    `accounts_url` is where customer accounts are, when that is another site than the shop. Without `webhook_secret` no
    webhooks of Shopify's are taken; without one of the storefront tokens no coupon goes into a cart.
    """

    shop_url: str
    issuer: str | None
    accounts_url: str | None
    client_id: str
    client_secret: str | None
    storefront_token: str | None
    storefront_private_token: str | None
    webhook_secret: str | None
    legacy_tokens: bool


class OkendoSettings(Group, frozen=True, kw_only=True):
    """The store's account at Okendo. What lacks its secret, the Merchant API or the webhooks, is off."""

    api_url: str
    user_id: str
    partner_id: str
    api_key: str | None
    overrides: str | None
    webhook_secret: str | None
    merchant_per_second: float


class SubtotalSettings(Group, frozen=True, kw_only=True):
    """The account at Subtotal, and the actions that earn points there. What lacks its secret is off."""

    api_url: str
    link_url: str
    link_token_url: str
    api_key: str | None
    client_id: str | None
    signing_secret: str | None
    tolerance_seconds: int
    simulated_events: bool
    actions: tuple[Action, ...]


class AwardSettings(Group, frozen=True, kw_only=True):
    """How long an award for a purchase elsewhere is tried, and when one without a trace was not given."""

    retry_seconds: int
    settling_seconds: int


class EventSettings(Group, frozen=True, kw_only=True):
    """Where the merchant's server is told of what shoppers do, and what that is signed with; both or neither."""

    url: str | None
    secret: str | None


class SessionSettings(Group, frozen=True, kw_only=True):
    """How long a session lasts and how many a customer has; without `tickets_token` there are no session tickets."""

    tickets_token: str | None
    idle_seconds: int
    absolute_seconds: int
    per_customer: int


class RedemptionSettings(Group, frozen=True, kw_only=True):
    """How long a lost answer to a redemption is looked for, when a redemption without a trace has failed, and how long
    a settled one is kept."""

    check_seconds: int
    settling_seconds: int
    retention_days: int
