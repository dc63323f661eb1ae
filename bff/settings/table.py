"""The environment, read once: every setting with its meaning, its default and what makes it unfit.

`SETTINGS` is the one table; README's table is checked against it, and a variable that merely looks like one of ours
stops the boot, so that a misspelled name is never silently ignored.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bff.settings.actions import Action, read_actions
from bff.settings.readers import (
    coupon_url,
    keys,
    language,
    link_url,
    one_of,
    origin_of,
    origins,
    path,
    rate,
    seconds,
    store,
    switch,
    token,
    url,
    visible,
    webhook_secret,
    whole,
)

APPLY_URL = "{storefront}/discount/{code}?redirect=/"
LINK_TOKEN_URL = "{link}/{token}"  # noqa: S105  # Not a secret, the place for one.


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the service was told. Secrets are kept out of `repr` (checklist N3)."""

    environment: str
    listen_host: str
    port: int
    public_url: str
    base_path: str
    storefront_origins: tuple[str, ...]
    secret_keys: tuple[tuple[str, bytes], ...]
    database_url: str
    valkey_url: str
    valkey_verify_tls: bool
    valkey_timeout_seconds: float
    valkey_connections: int
    shopify_shop_url: str
    shopify_issuer: str | None
    shopify_client_id: str
    shopify_client_secret: str | None
    shopify_storefront_token: str | None
    shopify_legacy_tokens: bool
    okendo_api_url: str
    okendo_user_id: str
    okendo_partner_id: str
    okendo_api_key: str | None
    okendo_overrides: str | None
    okendo_webhook_secret: str | None
    okendo_merchant_per_second: float
    subtotal_api_url: str
    subtotal_link_url: str
    subtotal_link_token_url: str
    subtotal_api_key: str | None
    subtotal_client_id: str | None
    subtotal_signing_secret: str | None
    subtotal_tolerance_seconds: int
    subtotal_simulated_events: bool
    subtotal_actions: tuple[Action, ...]
    award_retry_seconds: int
    award_settling_seconds: int
    session_tickets_token: str | None
    session_idle_seconds: int
    session_absolute_seconds: int
    sessions_per_customer: int
    upstream_timeout_seconds: float
    request_seconds: float
    requests_per_minute: int
    redemption_check_seconds: int
    redemption_settling_seconds: int
    trusted_hops: int
    web_concurrency: int
    default_language: str | None
    brand_name: str
    coupon_apply_url: str
    cross_site_mode: str | None
    metrics_token: str | None
    log_level: str

    def __repr__(self) -> str:
        return f"<Settings {self.environment} {self.public_url}>"

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def origin(self) -> str:
        """Scheme, host and port of PUBLIC_URL, as a browser writes it in `Origin`."""
        return origin_of(self.public_url)

    @property
    def base_url(self) -> str:
        """PUBLIC_URL with BASE_PATH, without a trailing slash: what every address of ours starts with."""
        return self.public_url if urlsplit(self.public_url).path == self.base_path else self.public_url + self.base_path

    @property
    def storefront_url(self) -> str:
        """Where "back to the shop" leads: the first storefront origin, else the shop itself."""
        return self.storefront_origins[0] if self.storefront_origins else self.shopify_shop_url


class Setting(msgspec.Struct, frozen=True):
    """One row: `default=None` with `required=False` means "off when absent"."""

    name: str
    meaning: str
    default: str | None = None
    required: bool = False
    secret: bool = False
    read: Callable[[str], Any] = str


TICKETS_TOKEN = "Bearer token with which the storefront's server asks for session tickets; absent: there are none"  # noqa: S105
SETTLING = whole(1, 86_400)
RETRY = whole(60, 2_592_000)
VALKEY = store("valkeys", "valkey", "rediss", "redis")
# fmt: off
SETTINGS: tuple[Setting, ...] = (
    Setting("ENVIRONMENT", "`production` or `development`", "production", read=one_of("production", "development")),
    Setting("LISTEN_HOST", "Address the web process listens on", "0.0.0.0", read=visible),  # noqa: S104
    Setting("PORT", "Port the web process listens on", "8000", read=whole(1, 65535)),
    Setting("PUBLIC_URL", "What shoppers see; callback: `{PUBLIC_URL}{BASE_PATH}/callback`", required=True, read=url),
    Setting("BASE_PATH", "Prefix of every path, such as `/loyalty`", "", read=path),
    Setting("STOREFRONT_ORIGINS", "Origins that may call the JSON routes, comma-separated", "", read=origins),
    Setting("SECRET_KEYS", "`id:base64key,…`, newest first, ≥ 32 random bytes", required=True, secret=True, read=keys),
    Setting("DATABASE_URL", "PostgreSQL", required=True, secret=True, read=store("postgres", "postgresql")),
    Setting("VALKEY_URL", "Valkey; `REDIS_URL` is read when it is absent", required=True, secret=True, read=VALKEY),
    Setting("VALKEY_VERIFY_TLS", "`off` accepts the self-signed certificate of Heroku's store", "on", read=switch),
    Setting("VALKEY_CONNECTIONS", "Connections to Valkey a process may hold", "16", read=whole(2, 1000)),
    Setting("VALKEY_TIMEOUT_SECONDS", "How long Valkey may take to answer; it is asked twice", "0.25", read=seconds),
    Setting("SHOPIFY_SHOP_URL", "The shop's domain, where its discovery documents are", required=True, read=url),
    Setting("SHOPIFY_ISSUER", "Exact issuer of the shop's ID tokens; absent: pinned on first use"),
    Setting("SHOPIFY_CLIENT_ID", "Customer Account API client id", required=True, read=visible),
    Setting("SHOPIFY_CLIENT_SECRET", "Its secret; absent means a public client", secret=True, read=visible),
    Setting("SHOPIFY_STOREFRONT_TOKEN", "Public Storefront API token, for legacy tokens", secret=True, read=visible),
    Setting("SHOPIFY_LEGACY_TOKENS", "`on` accepts legacy Storefront customer tokens", "off", read=switch),
    Setting("OKENDO_API_URL", "Okendo's API", "https://api.okendo.io", read=url),
    Setting("OKENDO_USER_ID", "Okendo User ID of the store (its `subscriberId`)", required=True, read=visible),
    Setting("OKENDO_PARTNER_ID", "Partner id issued by Okendo; the enrolment channel", required=True, read=visible),
    Setting("OKENDO_API_KEY", "Merchant REST API key", secret=True, read=visible),
    Setting("OKENDO_OVERRIDES", "TOML file that corrects Okendo operations; see docs/okendo.md"),
    Setting("OKENDO_WEBHOOK_SECRET", "Signing secret of Okendo's webhooks", secret=True, read=webhook_secret),
    Setting("OKENDO_MERCHANT_PER_SECOND", "Merchant API calls a second, in all; Okendo's limit is 2", "2", read=rate),
    Setting("SUBTOTAL_API_URL", "Subtotal's API", "https://api.subtotal.com", read=url),
    Setting("SUBTOTAL_LINK_URL", "Where Subtotal's link pages are", "https://link.subtotal.com", read=url),
    Setting("SUBTOTAL_LINK_TOKEN_URL", "Link page of a link token", LINK_TOKEN_URL, read=link_url),
    Setting("SUBTOTAL_API_KEY", "Subtotal API key; absent: no accounts can be linked", secret=True, read=visible),
    Setting("SUBTOTAL_CLIENT_ID", "Subtotal client id; not needed by anything here", read=visible),
    Setting("SUBTOTAL_SIGNING_SECRET", "Signing secret of Subtotal's webhooks", secret=True, read=visible),
    Setting("SUBTOTAL_TOLERANCE_SECONDS", "How old a signed webhook may be", "300", read=whole(10, 86_400)),
    Setting("SUBTOTAL_SIMULATED_EVENTS", "`on` pays for simulated events too", "off", read=switch),
    Setting("SUBTOTAL_ACTIONS", "What earns points: TOML or its file; docs/subtotal.md", "", read=read_actions),
    Setting("AWARD_RETRY_SECONDS", "How long an award is tried before it waits for a person", "86400", read=RETRY),
    Setting("AWARD_SETTLING_SECONDS", "An award without trace after this long was not given", "60", read=SETTLING),
    Setting("SESSION_TICKETS_TOKEN", TICKETS_TOKEN, secret=True, read=token),
    Setting("SESSION_IDLE_SECONDS", "A session ends after this long unused", "604800", read=whole(60, 31_536_000)),
    Setting("SESSION_ABSOLUTE_SECONDS", "… and at the latest after this long", "2592000", read=whole(60, 31_536_000)),
    Setting("SESSIONS_PER_CUSTOMER", "Sessions a customer may have; the oldest ends first", "10", read=whole(1, 100)),
    Setting("UPSTREAM_TIMEOUT_SECONDS", "How long one vendor call may take", "5", read=seconds),
    Setting("REQUEST_SECONDS", "How long one request may take in all; Heroku's limit is 30", "12", read=seconds),
    Setting("REQUESTS_PER_MINUTE", "All requests that may ask a vendor, together", "12000", read=whole(1, 10_000_000)),
    Setting("REDEMPTION_CHECK_SECONDS", "How long a lost answer is looked for", "86400", read=whole(1, 31_536_000)),
    Setting("REDEMPTION_SETTLING_SECONDS", "A redemption without trace after this long failed", "60", read=SETTLING),
    Setting("TRUSTED_HOPS", "Proxies in front that append to X-Forwarded-For", "1", read=whole(0, 5)),
    Setting("WEB_CONCURRENCY", "Web processes", "1", read=whole(1, 64)),
    Setting("DEFAULT_LANGUAGE", "Language Okendo answers in when none is asked for", read=language),
    Setting("BRAND_NAME", "Name shown on every page", "Loyalty"),
    Setting("COUPON_APPLY_URL", "Link that puts a coupon into the cart", APPLY_URL, read=coupon_url),
    Setting("CROSS_SITE_MODE", "`partitioned` when storefront and service are two sites", read=one_of("partitioned")),
    Setting("METRICS_TOKEN", "Bearer token for `/metrics`; absent: there is none", secret=True, read=token),
    Setting("LOG_LEVEL", "How much is logged", "info", read=one_of("debug", "info", "warning", "error")),
)
