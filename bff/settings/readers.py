"""What each kind of setting is read with: its text becomes a value.

Every reader raises ValueError with a sentence that says what to give instead.
"""

import base64
import binascii
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from bff.languages.catalogues import CatalogueError, check
from bff.settings.locales import read_language_tag
from bff.settings.previews import admits_strangers
from bff.settings.sites import is_private, origin_of

KEYS_REMEDY = "give id:base64key pairs separated by commas, newest first, each key 32 random bytes or more"


def url(value: str) -> str:
    """Without a trailing slash."""
    parts = urlsplit(value)
    named = re.fullmatch(r"[a-z0-9.-]+|\[?[0-9a-f:]+\]?", parts.hostname or "") and has_port_if_any(value)
    if parts.scheme not in {"http", "https"} or not named or parts.username or parts.query or parts.fragment:
        raise ValueError("give an absolute http(s) address without user name, query or fragment")
    return value.rstrip("/")


def collector_url(value: str) -> str:
    """Beside us or on a private network a collector seldom speaks TLS; a name without a dot is there, too."""
    address = url(value)
    host = urlsplit(address).hostname or ""
    if address.startswith("http:") and "." in host and not is_private(host):
        raise ValueError("give an https address, or an http one on this machine or a private network")
    return address


def sentry_dsn(value: str) -> str:
    """As Sentry's project settings show it: https://KEY@HOST/PROJECT."""
    parts = urlsplit(value)
    is_dsn = re.fullmatch(r"[\w-]+", parts.username or "") and re.fullmatch(r"/(?:[\w-]+/)*\d+", parts.path)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_dsn or parts.password or parts.query:
        raise ValueError("give the DSN of Sentry's project settings, https://KEY@HOST/PROJECT")
    return value


def has_port_if_any(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in value.split(",") if part.strip())
    for origin in origins:
        if origin != origin_of(url(origin)) or origin != origin.lower():
            raise ValueError(
                "list exact origins such as https://shop.example.com, separated by commas; no * and no path"
            )
    return origins


def preview_origins(value: str) -> tuple[str, ...]:
    """Origins with one `*` in one label of the host, none of which a stranger can have."""
    patterns = tuple(part.strip() for part in value.split(",") if part.strip())
    for pattern in patterns:
        # Only a host takes a letter in place of the `*`, a scheme and a port do not.
        sample = pattern.replace("*", "a")
        labels = (urlsplit(sample).hostname or "").split(".")
        if pattern.count("*") != 1 or not all(labels) or origins(sample) != (sample,):
            raise ValueError("list origins such as https://*.preview.shop.example.com, each with one * in one label")
        if admits_strangers(pattern):
            raise ValueError(
                "list patterns below a domain of yours, or with your part of the name fixed, such as "
                "https://shop-*-team.vercel.app: strangers can have names that one of these admits"
            )
    return patterns


def networks(value: str) -> tuple[str, ...]:
    """Networks in CIDR notation (RFC 4632 §3.1); an address alone is a network of one."""
    try:
        return tuple(str(ip_network(part.strip())) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("list networks such as 10.0.0.0/8, separated by commas; no bits beyond the prefix") from None


def keys(value: str) -> tuple[tuple[str, bytes], ...]:
    """Pairs of a name and its key, newest first."""
    keys = tuple(_named_key(part.strip()) for part in value.split(",") if part.strip())
    if not keys or len({name for name, _ in keys}) < len(keys) or len({key for _, key in keys}) < len(keys):
        raise ValueError(KEYS_REMEDY + "; no two alike")
    return keys


def _named_key(pair: str) -> tuple[str, bytes]:
    name, _, encoded = pair.partition(":")
    key = base64_decoded(encoded.replace("-", "+").replace("_", "/"))
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name) or len(key) < 32:
        raise ValueError(KEYS_REMEDY)
    return name, key


def base64_decoded(text: str) -> bytes:
    """Without regard to padding; empty when it is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""


def base_path(value: str) -> str:
    """Without a trailing slash; the root is empty."""
    path = value.rstrip("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", path):
        raise ValueError("give a path such as /loyalty, made of letters, digits, - and _")
    return path


def integer(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
            raise ValueError(f"give a whole number from {least} to {most}")
        return int(value)

    return read


def seconds(value: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", value) or not 0.1 <= float(value) <= 25:
        raise ValueError("give seconds from 0.1 to 25")
    return float(value)


def rate(value: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", value, re.ASCII) or not 0.1 <= float(value) <= 1000:
        raise ValueError("give a number from 0.1 to 1000")
    return float(value)


def one_of(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError("give one of " + ", ".join(words))
        return value

    return read


def on_or_off(value: str) -> bool:
    return one_of("on", "off")(value) == "on"


def language_code(value: str) -> str:
    found = read_language_tag(value)
    if found is None:
        raise ValueError("give a language such as en, or a locale such as pt-BR (BCP 47)")
    return found.language


def locale_dir(value: str) -> Path:
    """Every catalogue in it is read, so that none is found to be broken by a shopper."""
    folder = Path(value)
    if not folder.is_dir():
        raise ValueError("give a folder that there is, with catalogues such as fr.po in it")
    try:
        check(folder)
    except CatalogueError as error:
        raise ValueError(f"give catalogues that can be used: {error}") from None
    return folder


def currency_code(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError("give the three capitals of a currency, such as USD (ISO 4217)")
    return value


def ascii_text(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", value):
        raise ValueError("give 1 to 512 visible ASCII characters")
    return value


def cookie_name(value: str) -> str:
    """Of the storefront's; ours begin with __Host-."""
    if not re.fullmatch(r"(?!__)[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError("give the name of a cookie: 1 to 64 letters, digits, -, _ or ., not beginning with __")
    return value


def bearer_token(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{32,512}", value):
        raise ValueError("give 32 to 512 visible ASCII characters, chosen at random")
    return value


def webhook_secret(value: str) -> str:
    """`whsec_` and base64, as Standard Webhooks has it; the prefix may be left out."""
    if len(base64_decoded(value.removeprefix("whsec_"))) < 16:
        raise ValueError("give whsec_ and base64 of 16 bytes or more, as Okendo showed it")
    return value


def events_url(value: str) -> str:
    """As it stands, with its slash at the end and its query, which mean something to whoever is there."""
    address, _, query = value.partition("?")
    if not re.fullmatch(r"[\x21-\x7e]{1,2048}", value) or "#" in query:
        raise ValueError("give an absolute http(s) address in visible ASCII, without user name or fragment")
    url(address)
    return value


def events_secret(value: str) -> str:
    """`whsec_` and base64 of 24 to 64 bytes, as Standard Webhooks asks for."""
    if not value.startswith("whsec_") or not 24 <= len(base64_decoded(value.removeprefix("whsec_"))) <= 64:
        raise ValueError("give whsec_ and base64 of 24 to 64 random bytes")
    return value


def link_token_url(value: str) -> str:
    if (
        "{token}" not in value
        or not re.match(r"(https?://|\{link\})", value)
        or re.search(r"\{(?!token\}|link\})", value)
    ):
        raise ValueError("give an address with {token} in it; {link} stands for SUBTOTAL_LINK_URL")
    return value


def coupon_url(value: str) -> str:
    if "{code}" not in value or not re.match(r"(https?://|\{storefront\})", value):
        raise ValueError("give an address with {code} in it; {storefront} stands for the storefront's origin")
    return value
