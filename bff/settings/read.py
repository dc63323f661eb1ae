"""Reading the environment: every setting is checked alone, then together with the others."""

import difflib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from bff.errors import SettingsError
from bff.settings.copy import check_copy
from bff.settings.production import check_environment
from bff.settings.settings import Settings
from bff.settings.sites import is_same_site
from bff.settings.store_tls import with_database_tls
from bff.settings.table import SETTINGS, Setting

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
    "EVENTS_",
)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Raises SettingsError for the first that is unfit; its message names the setting and the remedy, never the value.
    """
    given = _given(environ)
    if "VALKEY_URL" not in given and "REDIS_URL" in given:
        given["VALKEY_URL"] = given["REDIS_URL"]
    _refuse_unknown(given)
    settings = _grouped({row: _read(row, given) for row in SETTINGS})
    _check_together(settings)
    settings = with_database_tls(settings, given.get("PGSSLMODE"))
    check_copy(settings.copy, settings.locale_dir)
    check_environment(settings)
    _check_pairs(settings)
    _check_sites(settings)
    return settings


def read_alone(name: str, environ: Mapping[str, str]) -> Any:
    """One setting, for what needs no other; raises SettingsError when it is unfit."""
    return _read(next(row for row in SETTINGS if row.name == name), _given(environ))


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in environ.items() if value.strip()}


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


def _check_pairs(settings: Settings) -> None:
    """What is of no use alone; by then each is known to be fit."""
    given = {"EVENTS_WEBHOOK_URL": settings.events.url, "EVENTS_WEBHOOK_SECRET": settings.events.secret}
    there, missing = ([name for name, value in given.items() if (value is None) is absent] for absent in (False, True))
    if there and missing:
        raise SettingsError(missing[0], f"is missing; {there[0]} is of no use without it.")


def _check_sites(settings: Settings) -> None:
    """The session cookie comes with the storefront's requests only when both are one site (checklist A7)."""
    given = {"STOREFRONT_ORIGINS": settings.storefront_origins, "PREVIEW_ORIGINS": settings.preview_origins}
    for name, origin in ((name, origin) for name, origins in given.items() for origin in origins):
        if settings.cross_site_mode is None and not is_same_site(origin.replace("*", "a"), settings.public_url):
            raise SettingsError(
                name,
                "a storefront origin is another site than PUBLIC_URL, so browsers would withhold the session cookie. "
                "Serve both under one registrable domain, or set CROSS_SITE_MODE=partitioned.",
            )
