"""Every setting with its meaning, its default and what makes it unfit, one row each.

README's table is checked against this one. A new setting is a row here and a field of its owner: in `groups.py`, or in
`settings.py` when it concerns the service as a whole.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from bff.settings.actions import read_actions
from bff.settings.readers import (
    ascii_text,
    base_path,
    bearer_token,
    coupon_url,
    integer,
    keys,
    language_code,
    link_token_url,
    on_or_off,
    one_of,
    origins,
    rate,
    seconds,
    store_url,
    url,
    webhook_secret,
)
from bff.settings.settings import Settings

# The group of a setting by how its name begins; the rest of the name is its field: OKENDO_API_URL is `okendo.api_url`.
GROUPS = {
    "DATABASE_": "database",
    "VALKEY_": "valkey",
    "SHOPIFY_": "shopify",
    "OKENDO_": "okendo",
    "SUBTOTAL_": "subtotal",
    "AWARD_": "awards",
    "SESSION_": "sessions",
    "SESSIONS_": "sessions",
    "REDEMPTION_": "redemptions",
}


class Setting(msgspec.Struct, frozen=True):
    """One row: `default=None` with `required=False` means "off when absent"."""

    name: str
    meaning: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    read: Callable[[str], Any] = str

    @property
    def group(self) -> str | None:
        """The group it is in; None when it concerns the service as a whole."""
        return GROUPS.get(self._prefix)

    @property
    def field(self) -> str:
        """What it is called in its group."""
        return self.name.removeprefix(self._prefix).lower()

    def value_in(self, settings: Settings) -> Any:
        return attrgetter(f"{self.group}.{self.field}" if self.group else self.field)(settings)

    @property
    def _prefix(self) -> str:
        return next((prefix for prefix in GROUPS if self.name.startswith(prefix)), "")


APPLY_URL = "{storefront}/discount/{code}?redirect=/"
LINK_TOKEN_URL = "{link}/{token}"  # noqa: S105  # Not a secret, the place for one.
TICKETS_TOKEN = "Bearer token with which the storefront's server asks for session tickets; absent: there are none"  # noqa: S105
SETTLING = integer(1, 86_400)
SESSION = integer(60, 31_536_000)
RETRY = integer(60, 2_592_000)
VALKEY = store_url("valkeys", "valkey", "rediss", "redis")
# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("ENVIRONMENT", "`production` or `development`", "production", read=one_of("production", "development")),
    Setting("LISTEN_HOST", "Address the web process listens on", "0.0.0.0", read=ascii_text),  # noqa: S104
    Setting("PORT", "Port the web process listens on", "8000", read=integer(1, 65535)),
    Setting("PUBLIC_URL", "What shoppers see; callback: `{PUBLIC_URL}{BASE_PATH}/callback`", required=True, read=url),
    Setting("BASE_PATH", "Prefix of every path, such as `/loyalty`", "", read=base_path),
    Setting("STOREFRONT_ORIGINS", "Origins that may call the JSON routes, comma-separated", "", read=origins),
    Setting("SECRET_KEYS", "`id:base64key,…`, newest first, ≥ 32 random bytes", required=True, secret=True, read=keys),
    Setting("DATABASE_URL", "PostgreSQL", required=True, secret=True, read=store_url("postgres", "postgresql")),
    Setting("VALKEY_URL", "Valkey; `REDIS_URL` is read when it is absent", required=True, secret=True, read=VALKEY),
    Setting("VALKEY_VERIFY_TLS", "`off` accepts the self-signed certificate of Heroku's store", "on", read=on_or_off),
    Setting("VALKEY_CONNECTIONS", "Connections to Valkey a process may hold", "16", read=integer(2, 1000)),
    Setting("VALKEY_TIMEOUT_SECONDS", "How long Valkey may take to answer; it is asked twice", "0.25", read=seconds),
    Setting("SHOPIFY_SHOP_URL", "The shop's domain, where its discovery documents are", required=True, read=url),
    Setting("SHOPIFY_ISSUER", "Exact issuer of the shop's ID tokens; absent: pinned on first use"),
    Setting("SHOPIFY_CLIENT_ID", "Customer Account API client id", required=True, read=ascii_text),
    Setting("SHOPIFY_CLIENT_SECRET", "Its secret; absent means a public client", secret=True, read=ascii_text),
    Setting("SHOPIFY_STOREFRONT_TOKEN", "Public Storefront API token, for legacy tokens", secret=True, read=ascii_text),
    Setting("SHOPIFY_LEGACY_TOKENS", "`on` accepts legacy Storefront customer tokens", "off", read=on_or_off),
    Setting("OKENDO_API_URL", "Okendo's API", "https://api.okendo.io", read=url),
    Setting("OKENDO_USER_ID", "Okendo User ID of the store (its `subscriberId`)", required=True, read=ascii_text),
    Setting("OKENDO_PARTNER_ID", "Partner id issued by Okendo; the enrolment channel", required=True, read=ascii_text),
    Setting("OKENDO_API_KEY", "Merchant REST API key", secret=True, read=ascii_text),
    Setting("OKENDO_OVERRIDES", "TOML file that corrects Okendo operations; see docs/okendo.md"),
    Setting("OKENDO_WEBHOOK_SECRET", "Signing secret of Okendo's webhooks", secret=True, read=webhook_secret),
    Setting("OKENDO_MERCHANT_PER_SECOND", "Merchant API calls a second, in all; Okendo's limit is 2", "2", read=rate),
    Setting("SUBTOTAL_API_URL", "Subtotal's API", "https://api.subtotal.com", read=url),
    Setting("SUBTOTAL_LINK_URL", "Where Subtotal's link pages are", "https://link.subtotal.com", read=url),
    Setting("SUBTOTAL_LINK_TOKEN_URL", "Link page of a link token", LINK_TOKEN_URL, read=link_token_url),
    Setting("SUBTOTAL_API_KEY", "Subtotal API key; absent: no accounts can be linked", secret=True, read=ascii_text),
    Setting("SUBTOTAL_CLIENT_ID", "Subtotal client id; not needed by anything here", read=ascii_text),
    Setting("SUBTOTAL_SIGNING_SECRET", "Signing secret of Subtotal's webhooks", secret=True, read=ascii_text),
    Setting("SUBTOTAL_TOLERANCE_SECONDS", "How old a signed webhook may be", "300", read=integer(10, 86_400)),
    Setting("SUBTOTAL_SIMULATED_EVENTS", "`on` pays for simulated events too", "off", read=on_or_off),
    Setting("SUBTOTAL_ACTIONS", "What earns points: TOML or its file; docs/subtotal.md", "", read=read_actions),
    Setting("AWARD_RETRY_SECONDS", "How long an award is tried before it waits for a person", "86400", read=RETRY),
    Setting("AWARD_SETTLING_SECONDS", "An award without trace after this long was not given", "60", read=SETTLING),
    Setting("SESSION_TICKETS_TOKEN", TICKETS_TOKEN, secret=True, read=bearer_token),
    Setting("SESSION_IDLE_SECONDS", "A session ends after this long unused", "604800", read=SESSION),
    Setting("SESSION_ABSOLUTE_SECONDS", "… and at the latest after this long", "2592000", read=SESSION),
    Setting("SESSIONS_PER_CUSTOMER", "Sessions a customer may have; the oldest ends first", "10", read=integer(1, 100)),
    Setting("UPSTREAM_TIMEOUT_SECONDS", "How long one vendor call may take", "5", read=seconds),
    Setting("REQUEST_SECONDS", "How long one request may take in all; Heroku's limit is 30", "12", read=seconds),
    Setting("REQUESTS_PER_MINUTE", "All requests that may ask a vendor, together", "12000", read=integer(1, 10**7)),
    Setting("REDEMPTION_CHECK_SECONDS", "How long a lost answer is looked for", "86400", read=integer(1, 31_536_000)),
    Setting("REDEMPTION_SETTLING_SECONDS", "A redemption without trace after this long failed", "60", read=SETTLING),
    Setting("TRUSTED_HOPS", "Proxies in front that append to X-Forwarded-For", "1", read=integer(0, 5)),
    Setting("WEB_CONCURRENCY", "Web processes", "1", read=integer(1, 64)),
    Setting("DEFAULT_LANGUAGE", "Language Okendo answers in when none is asked for", read=language_code),
    Setting("BRAND_NAME", "Name shown on every page", "Loyalty"),
    Setting("COUPON_APPLY_URL", "Link that puts a coupon into the cart", APPLY_URL, read=coupon_url),
    Setting("CROSS_SITE_MODE", "`partitioned` when storefront and service are two sites", read=one_of("partitioned")),
    Setting("METRICS_TOKEN", "Bearer token for `/metrics`; absent: there is none", secret=True, read=bearer_token),
    Setting("LOG_LEVEL", "How much is logged", "info", read=one_of("debug", "info", "warning", "error")),
)
