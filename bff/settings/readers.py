"""What each kind of setting is read with: its text becomes a value.

Every reader raises ValueError with a sentence that says what to give instead.
"""

import base64
import binascii
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from bff.settings.sites import origin_of

KEYS_REMEDY = "give id:base64key pairs separated by commas, newest first, each key 32 random bytes or more"


def url(value: str) -> str:
    """Without a trailing slash."""
    parts = urlsplit(value)
    named = re.fullmatch(r"[a-z0-9.-]+|\[?[0-9a-f:]+\]?", parts.hostname or "") and _has_port_if_any(value)
    if parts.scheme not in {"http", "https"} or not named or parts.username or parts.query or parts.fragment:
        raise ValueError("give an absolute http(s) address without user name, query or fragment")
    return value.rstrip("/")


def _has_port_if_any(address: str) -> bool:
    try:
        return urlsplit(address).port != 0
    except ValueError:
        return False


def store_url(*schemes: str) -> Callable[[str], str]:
    """A reader of addresses with one of these schemes; the last is the one that the sentence recommends."""

    def read(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname or not _has_port_if_any(value):
            raise ValueError(f"give a {schemes[-1]}:// address with a host; percent-encode / and @ in a password")
        return value

    return read


def origins(value: str) -> tuple[str, ...]:
    origins = tuple(part.strip() for part in value.split(",") if part.strip())
    for origin in origins:
        if origin != origin_of(url(origin)) or origin != origin.lower():
            raise ValueError(
                "list exact origins such as https://shop.example.com, separated by commas; no * and no path"
            )
    return origins


def keys(value: str) -> tuple[tuple[str, bytes], ...]:
    """Pairs of a name and its key, newest first."""
    keys = tuple(_named_key(part.strip()) for part in value.split(",") if part.strip())
    if not keys or len({name for name, _ in keys}) < len(keys) or len({key for _, key in keys}) < len(keys):
        raise ValueError(KEYS_REMEDY + "; no two alike")
    return keys


def _named_key(pair: str) -> tuple[str, bytes]:
    name, _, encoded = pair.partition(":")
    key = _base64_decoded(encoded.replace("-", "+").replace("_", "/"))
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name) or len(key) < 32:
        raise ValueError(KEYS_REMEDY)
    return name, key


def _base64_decoded(text: str) -> bytes:
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
    if not re.fullmatch(r"[a-z]{2}", value):
        raise ValueError("give two small letters such as en (ISO 639-1)")
    return value


def ascii_text(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{1,512}", value):
        raise ValueError("give 1 to 512 visible ASCII characters")
    return value


def bearer_token(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]{32,512}", value):
        raise ValueError("give 32 to 512 visible ASCII characters, chosen at random")
    return value


def webhook_secret(value: str) -> str:
    """`whsec_` and base64, as Standard Webhooks has it; the prefix may be left out."""
    if len(_base64_decoded(value.removeprefix("whsec_"))) < 16:
        raise ValueError("give whsec_ and base64 of 16 bytes or more, as Okendo showed it")
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
