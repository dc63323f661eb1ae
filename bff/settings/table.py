"""Every setting with its meaning, its default and what makes it unfit, one row each.

README's table is checked against this one. A new setting is a row here and a field of its owner: in `groups.py`, or in
`settings.py` when it concerns the service as a whole.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from bff.settings.actions import read_actions
from bff.settings.copy import read_copy
from bff.settings.readers import (
    ascii_text,
    base_path,
    bearer_token,
    collector_url,
    cookie_name,
    coupon_url,
    currency_code,
    events_secret,
    events_url,
    integer,
    keys,
    language_code,
    link_token_url,
    locale_dir,
    networks,
    on_or_off,
    one_of,
    origins,
    preview_origins,
    rate,
    seconds,
    sentry_dsn,
    url,
    webhook_secret,
)
from bff.settings.settings import Settings
from bff.settings.stores import database_url, valkey_url
from bff.settings.theme import read_theme

# The group of a setting by how its name begins; the rest of the name is its field: OKENDO_API_URL is `okendo.api_url`.
GROUPS = {
    "DATABASE_": "database",
    "VALKEY_": "valkey",
    "SHOPIFY_": "shopify",
    "OKENDO_": "okendo",
    "SUBTOTAL_": "subtotal",
    "AWARD_": "awards",
    "EVENTS_WEBHOOK_": "events",
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


ENVIRONMENT = "`production`, or `development` at a local PUBLIC_URL"
APPLY_URL = "{storefront}/discount/{code}?redirect=/"
LINK_TOKEN_URL = "{link}/{token}"  # noqa: S105  # Not a secret, the place for one.
PUBLIC_TOKEN = "Public Storefront API token: coupons into carts, and legacy tokens"  # noqa: S105  # Its meaning.
PRIVATE_TOKEN = "Private one, for servers; carts are asked with it where it is there: docs/cart.md"  # noqa: S105  # Its meaning.
CART_COOKIE = "Cookie where the storefront keeps its cart's id, such as `cart`; docs/cart.md; absent: a link"
TICKETS_TOKEN = "Bearer token of the storefront's server, for session tickets and handles; absent: there are none"  # noqa: S105  # Its meaning.
VALKEY = "Valkey, alone, behind Sentinel, or a cluster; `REDIS_URL` is read when it is absent"
EVENTS = "Where what shoppers do is posted to; docs/outbound-webhook.md; absent: nowhere"
SETTLING = integer(1, 86_400)
SESSION = integer(60, 31_536_000)
RETRY = integer(60, 2_592_000)
KEEP_ALIVE = integer(1, 3600)
KEPT = integer(731, 36_500)
# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("ENVIRONMENT", ENVIRONMENT, "production", read=one_of("production", "development")),
    Setting("LISTEN_HOST", "Address the web process listens on", "0.0.0.0", read=ascii_text),  # noqa: S104  # In a container.
    Setting("PORT", "Port the web process listens on", "8000", read=integer(1, 65535)),
    Setting("PUBLIC_URL", "What shoppers see; callback: `{PUBLIC_URL}{BASE_PATH}/callback`", required=True, read=url),
    Setting("BASE_PATH", "Prefix of every path, such as `/loyalty`", "", read=base_path),
    Setting("STOREFRONT_ORIGINS", "Origins that may call the JSON routes, comma-separated", "", read=origins),
    Setting("PREVIEW_ORIGINS", "Previews that may, too: `https://*.preview.shop.example`", "", read=preview_origins),
    Setting("SECRET_KEYS", "`id:base64key,…`, newest first, ≥ 32 random bytes", required=True, secret=True, read=keys),
    Setting("DATABASE_URL", "PostgreSQL, 15 to 18", required=True, secret=True, read=database_url),
    Setting("DATABASE_REQUIRE_TLS", "`off` allows PostgreSQL without TLS, on a private network", "on", read=on_or_off),
    Setting("DATABASE_CONNECTIONS", "Connections to PostgreSQL a process may hold", "5", read=integer(2, 1000)),
    Setting("VALKEY_URL", VALKEY, required=True, secret=True, read=valkey_url),
    Setting("VALKEY_REQUIRE_TLS", "`off` allows Valkey without TLS, on a private network", "on", read=on_or_off),
    Setting("VALKEY_VERIFY_TLS", "`off` accepts the self-signed certificate of Heroku's store", "on", read=on_or_off),
    Setting("VALKEY_CONNECTIONS", "Connections to Valkey a process may hold", "16", read=integer(2, 1000)),
    Setting("VALKEY_TIMEOUT_SECONDS", "How long Valkey may take to answer; it is asked twice", "0.25", read=seconds),
    Setting("SHOPIFY_SHOP_URL", "The shop's domain, where its discovery documents are", required=True, read=url),
    Setting("SHOPIFY_ISSUER", "Exact issuer of the shop's ID tokens; absent: the first one seen is pinned"),
    Setting("SHOPIFY_ACCOUNTS_URL", "Customer accounts' domain, if not Shopify's or under the shop's", read=url),
    Setting("SHOPIFY_CLIENT_ID", "Customer Account API client id", required=True, read=ascii_text),
    Setting("SHOPIFY_CLIENT_SECRET", "Its secret; absent means a public client", secret=True, read=ascii_text),
    Setting("SHOPIFY_STOREFRONT_TOKEN", PUBLIC_TOKEN, secret=True, read=ascii_text),
    Setting("SHOPIFY_STOREFRONT_PRIVATE_TOKEN", PRIVATE_TOKEN, secret=True, read=ascii_text),
    Setting("SHOPIFY_WEBHOOK_SECRET", "Client secret of the app whose webhooks come", secret=True, read=ascii_text),
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
    Setting("SUBTOTAL_SIMULATED_EVENTS", "`on` pays for simulated events too; development only", "off", read=on_or_off),
    Setting("SUBTOTAL_ACTIONS", "What earns points: TOML or its file; docs/subtotal.md", "", read=read_actions),
    Setting("AWARD_RETRY_SECONDS", "How long an award is tried before it waits for a person", "86400", read=RETRY),
    Setting("AWARD_SETTLING_SECONDS", "An award without trace after this long was not given", "60", read=SETTLING),
    Setting("EVENTS_WEBHOOK_URL", EVENTS, read=events_url),
    Setting("EVENTS_WEBHOOK_SECRET", "What events are signed with: `whsec_…`", secret=True, read=events_secret),
    Setting("SESSION_TICKETS_TOKEN", TICKETS_TOKEN, secret=True, read=bearer_token),
    Setting("SESSION_IDLE_SECONDS", "A session ends after this long unused", "604800", read=SESSION),
    Setting("SESSION_ABSOLUTE_SECONDS", "… and at the latest after this long", "2592000", read=SESSION),
    Setting("SESSIONS_PER_CUSTOMER", "Sessions a customer may have; the oldest ends first", "10", read=integer(1, 100)),
    Setting("UPSTREAM_TIMEOUT_SECONDS", "How long one vendor call may take", "5", read=seconds),
    Setting("REQUEST_SECONDS", "How long one request may take in all; Heroku's limit is 30", "12", read=seconds),
    Setting("REQUESTS_PER_MINUTE", "All requests that may ask a vendor, together", "12000", read=integer(1, 10**7)),
    Setting("REQUESTS_AT_ONCE", "Requests a process works on at once, at most", "1000", read=integer(1, 10**5)),
    Setting("REDEMPTION_CHECK_SECONDS", "How long a lost answer is looked for", "86400", read=integer(1, 31_536_000)),
    Setting("REDEMPTION_SETTLING_SECONDS", "A redemption without trace after this long failed", "60", read=SETTLING),
    Setting("REDEMPTION_RETENTION_DAYS", "How long a settled redemption is kept; two years at least", "731", read=KEPT),
    Setting("TRUSTED_HOPS", "Proxies in front that append to X-Forwarded-For", "1", read=integer(0, 5)),
    Setting("TRUSTED_PROXIES", "Networks (CIDR) that may send X-Forwarded-*; absent: any peer", "", read=networks),
    Setting("WEB_CONCURRENCY", "Web processes", "1", read=integer(1, 64)),
    Setting("KEEP_ALIVE_SECONDS", "How long an idle connection is kept; a proxy keeps less", "95", read=KEEP_ALIVE),
    Setting("DEFAULT_LANGUAGE", "Language of pages and of Okendo's answers when none is asked for", read=language_code),
    Setting("LOCALE_DIR", "Folder of your own catalogues; see docs/languages.md", read=locale_dir),
    Setting("COPY", "Words of the pages: TOML or its file; docs/copy.md", "", read=read_copy),
    Setting("SHOP_CURRENCY", "Currency of amounts of which a vendor tells none (ISO 4217)", read=currency_code),
    Setting("BRAND_NAME", "Name shown on every page", "Loyalty"),
    Setting("THEME", "Look of the pages: TOML or its file; docs/theme.md", "", read=read_theme),
    Setting("LAYOUT", "`bare` leaves header and footer to the storefront", "full", read=one_of("full", "bare")),
    Setting("STRUCTURED_DATA", "`on` adds schema.org data to pages, for search engines", "off", read=on_or_off),
    Setting("COUPON_APPLY_URL", "Link that puts a coupon into the cart", APPLY_URL, read=coupon_url),
    Setting("CART_COOKIE", CART_COOKIE, read=cookie_name),
    Setting("CROSS_SITE_MODE", "`partitioned` when a storefront is on another site", read=one_of("partitioned")),
    Setting("METRICS_TOKEN", "Bearer token for `/metrics`; absent: there is none", secret=True, read=bearer_token),
    Setting("OTEL_EXPORTER_OTLP_ENDPOINT", "OTLP collector for traces and logs; absent: none", read=collector_url),
    Setting("SENTRY_DSN", "Sentry project for errors; absent: none", secret=True, read=sentry_dsn),
    Setting("LOG_LEVEL", "How much is logged", "info", read=one_of("debug", "info", "warning", "error")),
)
