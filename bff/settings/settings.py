"""What the service was told by its environment: what concerns the service as a whole, and a group for each owner."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bff.languages.wording import Copy
from bff.settings.groups import (
    AwardSettings,
    DatabaseSettings,
    EventSettings,
    OkendoSettings,
    RedemptionSettings,
    SessionSettings,
    ShopifySettings,
    SubtotalSettings,
    ValkeySettings,
)
from bff.settings.previews import is_local, is_preview
from bff.settings.sites import origin_of
from bff.settings.theme import Theme


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting under the name of its environment variable: `PORT` is `port`, `OKENDO_API_URL` `okendo.api_url`.

    Secrets are kept out of `repr` (checklist N3).
    """

    environment: str
    listen_host: str
    port: int
    public_url: str
    base_path: str
    storefront_origins: tuple[str, ...]
    preview_origins: tuple[str, ...]
    secret_keys: tuple[tuple[str, bytes], ...]
    upstream_timeout_seconds: float
    request_seconds: float
    requests_per_minute: int
    requests_at_once: int
    trusted_hops: int
    trusted_proxies: tuple[str, ...]
    web_concurrency: int
    keep_alive_seconds: int
    default_language: str | None
    locale_dir: Path | None
    copy: Copy
    shop_currency: str | None
    brand_name: str
    theme: Theme
    layout: str
    structured_data: bool
    coupon_apply_url: str
    cart_cookie: str | None
    cross_site_mode: str | None
    metrics_token: str | None
    otel_exporter_otlp_endpoint: str | None
    sentry_dsn: str | None
    log_level: str

    database: DatabaseSettings
    valkey: ValkeySettings
    shopify: ShopifySettings
    okendo: OkendoSettings
    subtotal: SubtotalSettings
    awards: AwardSettings
    events: EventSettings
    sessions: SessionSettings
    redemptions: RedemptionSettings

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
        return self.storefront_origins[0] if self.storefront_origins else self.shopify.shop_url

    def is_storefront(self, origin: str | None) -> bool:
        """Whether this is the origin of a storefront: one that is named, and unless it is ours, a preview, or in
        development whatever runs on this machine."""
        if origin in self.storefront_origins:
            return True
        if origin is None or origin == self.origin:
            return False
        is_here = not self.production and is_local(origin)
        return is_here or any(is_preview(pattern, origin) for pattern in self.preview_origins)
