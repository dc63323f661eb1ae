"""Reading the environment: every setting is checked alone, then together with the others."""

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec

from bff.errors import SettingsError
from bff.settings.settings import Settings
from bff.settings.sites import is_same_site
from bff.settings.table import SETTINGS, Setting

PLACEHOLDERS = frozenset({"changeme", "password", "placeholder", "secret", "secretkey", "apikey", "example"})
OUR_PREFIXES = (
    "SHOPIFY_",
    "OKENDO_",
    "SUBTOTAL_",
    "SESSION_",
    "STOREFRONT_",
    "SECRET_KEY",
    "UPSTREAM_",
    "BRAND_",
    "REDEMPTION_",
    "AWARD_",
)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Raises SettingsError for the first that is unfit; its message names the setting and the remedy, never the value.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    if "VALKEY_URL" not in given and "REDIS_URL" in given:
        given["VALKEY_URL"] = given["REDIS_URL"]
    _refuse_unknown(given)
    settings = _grouped({row: _read(row, given) for row in SETTINGS})
    _check_together(settings)
    if settings.production:
        _check_addresses(settings)
        _check_secrets(settings)
    _check_sites(settings)
    return settings


def _read(row: Setting, given: Mapping[str, str]) -> Any:
    value = given.get(row.name, row.default)
    if value is None:
        if row.required:
            raise SettingsError(row.name, f"is missing. {row.meaning}.")
        return None
    if row.default == "" and value == "":
        return row.read("")
    try:
        return row.read(value)
    except ValueError as error:
        # A library's own ValueError may quote the value; only our sentences pass.
        sentence = str(error) if str(error).startswith(("give ", "list ")) else "is malformed"
        raise SettingsError(row.name, f"{sentence}.") from None


def _refuse_unknown(given: Mapping[str, str]) -> None:
    known = {row.name for row in SETTINGS}
    for name in sorted(set(given) - known):
        # A short name such as PORT has too many innocent neighbours.
        misspelled = len(name) >= 8 and difflib.get_close_matches(name, known, n=1, cutoff=0.93)
        if name.startswith(OUR_PREFIXES) or misspelled:
            raise SettingsError(name, "is not a setting. Check the spelling against the table in README.md.")


def _grouped(values: Mapping[Setting, Any]) -> Settings:
    groups: dict[str | None, dict[str, Any]] = defaultdict(dict)
    for row, value in values.items():
        groups[row.group][row.field] = value
    of_the_service = groups.pop(None)
    return msgspec.convert(of_the_service | groups, Settings)


def _check_together(settings: Settings) -> None:
    if settings.shopify.legacy_tokens and settings.shopify.storefront_token is None:
        raise SettingsError("SHOPIFY_STOREFRONT_TOKEN", "is missing; SHOPIFY_LEGACY_TOKENS=on cannot do without it.")
    if settings.subtotal.actions:
        needed = {
            "SUBTOTAL_SIGNING_SECRET": settings.subtotal.signing_secret,
            "OKENDO_API_KEY": settings.okendo.api_key,
        }
        for name, value in needed.items():
            if value is None:
                raise SettingsError(name, "is missing; SUBTOTAL_ACTIONS cannot be paid without it.")
    if settings.sessions.idle_seconds > settings.sessions.absolute_seconds:
        raise SettingsError("SESSION_IDLE_SECONDS", "must not exceed SESSION_ABSOLUTE_SECONDS.")


def _check_addresses(settings: Settings) -> None:
    addresses = {
        "PUBLIC_URL": settings.public_url,
        "SHOPIFY_SHOP_URL": settings.shopify.shop_url,
        "OKENDO_API_URL": settings.okendo.api_url,
        "SUBTOTAL_API_URL": settings.subtotal.api_url,
        "SUBTOTAL_LINK_URL": settings.subtotal.link_url,
    }
    for name, address in addresses.items():
        if not address.startswith("https://"):
            raise SettingsError(name, "must start with https:// in production.")
    if any(not origin.startswith("https://") for origin in settings.storefront_origins):
        raise SettingsError("STOREFRONT_ORIGINS", "every origin must start with https:// in production.")
    if settings.log_level == "debug":
        raise SettingsError("LOG_LEVEL", "debug is for development only; give info, warning or error.")


def _check_secrets(settings: Settings) -> None:
    for row in SETTINGS:
        value = row.value_in(settings)
        if row.secret and isinstance(value, str) and _is_placeholder(value):
            raise SettingsError(row.name, "looks like a placeholder. Give the real value, 8 characters or more.")
    for _, key in settings.secret_keys:
        if _is_sample(key):
            raise SettingsError("SECRET_KEYS", "give keys of random bytes, not a phrase or a pattern.")


def _check_sites(settings: Settings) -> None:
    """The session cookie comes with the storefront's requests only when both are one site (checklist A7)."""
    for origin in settings.storefront_origins:
        if settings.cross_site_mode is None and not is_same_site(origin, settings.public_url):
            raise SettingsError(
                "STOREFRONT_ORIGINS",
                "a storefront origin is another site than PUBLIC_URL, so browsers would withhold the session cookie. "
                "Serve both under one registrable domain, or set CROSS_SITE_MODE=partitioned.",
            )


def _is_placeholder(value: str) -> bool:
    letters = re.sub(r"[^a-z]", "", value.lower())
    return len(value) < 8 or len(set(value)) < 4 or letters in PLACEHOLDERS or letters.startswith("your")


def _is_sample(key: bytes) -> bool:
    """Random bytes are neither all printable, nor few different ones, nor evenly spaced."""
    steps = {(right - left) % 256 for left, right in pairwise(key)}
    return all(0x20 <= byte < 0x7F for byte in key) or len(set(key)) < 12 or len(steps) < 4
