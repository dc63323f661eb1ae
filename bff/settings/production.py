"""What each environment refuses, and what production warns of (checklist N1, P7, C5, C10).

Why: docs/decisions/production.md
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog

from bff.errors import SettingsError
from bff.settings.previews import may_be_taken
from bff.settings.published import PUBLISHED
from bff.settings.readers import collector_url
from bff.settings.settings import Settings
from bff.settings.sites import is_private
from bff.settings.store_tls import way_to_database, way_to_valkey
from bff.settings.strength import bits_of, is_weak_key
from bff.settings.table import SETTINGS

PLACEHOLDERS = frozenset({"changeme", "password", "placeholder", "secret", "secretkey", "apikey", "example"})
# Whoever guesses one of these is believed by us, or by the merchant's server; all others are for vendors to check.
VERIFIED_HERE = (
    "OKENDO_WEBHOOK_SECRET", "SHOPIFY_WEBHOOK_SECRET", "SUBTOTAL_SIGNING_SECRET", "SESSION_TICKETS_TOKEN",
    "METRICS_TOKEN", "EVENTS_WEBHOOK_SECRET",
)  # fmt: skip
LEAST_BITS = 128
NOT_HTTPS = re.compile(r"(?!https://)(?i:https?:)")
log = structlog.get_logger("settings")


class Weakness(NamedTuple):
    """What a setting leaves open, though it was said on purpose or cannot be helped."""

    name: str
    detail: str
    remedy: str


def check_environment(settings: Settings) -> None:
    """Raises SettingsError for the first setting that is not for its environment."""
    for check in IN_PRODUCTION if settings.production else IN_DEVELOPMENT:
        check(settings)


def weaknesses(settings: Settings) -> Iterator[Weakness]:
    """What production puts up with; nothing in development."""
    if not settings.production:
        return
    if any(map(may_be_taken, settings.preview_origins)):
        detail = "has a pattern below a domain where strangers can ask for names, too, such as one that it admits"
        remedy = "Give previews a domain of yours, and list that instead."
        yield Weakness("PREVIEW_ORIGINS", detail, remedy)
    ways = {"DATABASE": way_to_database(settings.database), "VALKEY": way_to_valkey(settings.valkey)}
    for store, way in ways.items():
        if way == "plain":
            detail = "is off, and what is kept there crosses the network without TLS"
            yield Weakness(f"{store}_REQUIRE_TLS", detail, "Turn TLS on at the store, unless the network is private.")
    if ways["DATABASE"] == "encrypted":
        detail = "has sslmode=require: PostgreSQL's certificate is not verified"
        yield Weakness("DATABASE_URL", detail, "Give sslmode=verify-full and sslrootcert, where the provider has one.")
    if ways["VALKEY"] == "encrypted":
        detail = "is off in effect: Valkey's certificate is not verified"
        yield Weakness(
            "VALKEY_VERIFY_TLS", detail, "Set it to on where the store has a certificate that can be verified."
        )


def log_weaknesses(settings: Settings) -> None:
    for weakness in weaknesses(settings):
        log.warning("weak_setting", what=weakness.name, reason=f"{weakness.detail}. {weakness.remedy}")


def _check_is_local(settings: Settings) -> None:
    """Development takes weak secrets and plain http, so nobody out there may reach it."""
    if not is_private(urlsplit(settings.public_url).hostname or ""):
        raise SettingsError("ENVIRONMENT", "development needs a local PUBLIC_URL; give production, or leave it out.")


def _check_addresses(settings: Settings) -> None:
    for row in SETTINGS:
        # A collector's reader has looked at where it is.
        if row.read is not collector_url and any(map(NOT_HTTPS.match, _texts(row.value_in(settings)))):
            raise SettingsError(row.name, "must start with https:// in production.")


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(text for text in values if isinstance(text, str))


def _check_events_address(settings: Settings) -> None:
    """What shoppers do is told to the internet, or to nobody: an address inside would be asked in our name (P12)."""
    host = urlsplit(settings.events.url or "https://example.com").hostname or ""
    if is_private(host) or ("." not in host and ":" not in host):
        raise SettingsError("EVENTS_WEBHOOK_URL", "must be an address on the internet in production.")


def _check_conveniences(settings: Settings) -> None:
    if settings.log_level == "debug":
        raise SettingsError("LOG_LEVEL", "debug is for development only; give info, warning or error.")
    if settings.subtotal.simulated_events:
        raise SettingsError("SUBTOTAL_SIMULATED_EVENTS", "would pay points for purchases that never were; give off.")
    if settings.trusted_hops == 0:
        remedy = "give 1 or more: without a proxy in front nobody has ended TLS, so no request is https."
        raise SettingsError("TRUSTED_HOPS", remedy)


def _check_settling_times(settings: Settings) -> None:
    """What was sent may still come back while nobody knows how it ended: to conclude by then that it failed, and to try
    again, could pay twice."""
    times = {
        "AWARD_SETTLING_SECONDS": settings.awards.settling_seconds,
        "REDEMPTION_SETTLING_SECONDS": settings.redemptions.settling_seconds,
    }
    for name, seconds in times.items():
        if seconds < 2 * settings.upstream_timeout_seconds:
            raise SettingsError(name, "must be twice UPSTREAM_TIMEOUT_SECONDS at least.")


def _check_secrets(settings: Settings) -> None:
    for row in SETTINGS:
        value = row.value_in(settings)
        if row.secret and isinstance(value, str):
            _check_secret(row.name, value)
    if any(is_weak_key(key) for _, key in settings.secret_keys):
        raise SettingsError("SECRET_KEYS", "give keys of random bytes, not a phrase or a pattern.")


def _check_secret(name: str, value: str) -> None:
    if value in PUBLISHED:
        raise SettingsError(name, "is the sandbox's, which everybody can read. Give the real value.")
    if _is_placeholder(value):
        raise SettingsError(name, "looks like a placeholder. Give the real value, 8 characters or more.")
    if name in VERIFIED_HERE and bits_of(value) < LEAST_BITS:
        remedy = f"is too easy to guess: less than {LEAST_BITS} bits. Give 16 random bytes or more, in hex or base64."
        raise SettingsError(name, remedy)


def _is_placeholder(value: str) -> bool:
    letters = re.sub(r"[^a-z]", "", value.lower())
    return len(value) < 8 or len(set(value)) < 4 or letters in PLACEHOLDERS or letters.startswith("your")


def _check_stores(settings: Settings) -> None:
    if settings.database.require_tls and way_to_database(settings.database) == "plain":
        remedy = "give an sslmode of require or better; on a private network without TLS set DATABASE_REQUIRE_TLS=off."
        raise SettingsError("DATABASE_URL", remedy)
    if settings.valkey.require_tls and way_to_valkey(settings.valkey) == "plain":
        remedy = "give a rediss:// address; on a private network without TLS set VALKEY_REQUIRE_TLS=off."
        raise SettingsError("VALKEY_URL", remedy)


IN_DEVELOPMENT = (_check_is_local,)
IN_PRODUCTION = (
    _check_addresses, _check_events_address, _check_conveniences, _check_settling_times, _check_secrets, _check_stores,
)  # fmt: skip
