"""The places for values in a text, and its tags: every wording of it has the same (docs/languages.md)."""

import html
import re
from collections import Counter
from functools import cache

VALUE = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"</?\w+>")
# What a browser takes for markup.
MARKUP = re.compile(r"<[/!?a-zA-Z]")


def fits(wording: str, text: str, *, is_counted: bool, may_lack: int = 0) -> bool:
    """Whether it has the places of `text`, each as often, and its tags, in their order.

    Values are put into whatever has a place, and into plural forms (`is_counted`), where any other % would fail.
    """
    needed, found = (Counter(VALUE.findall(one)) for one in (text, wording))
    is_odd = (needed or is_counted) and "%" in VALUE.sub("", wording)
    tags = TAG.findall(text)
    has_tags = TAG.findall(wording) == tags and len(MARKUP.findall(wording)) == len(tags)
    return has_tags and not is_odd and not found - needed and (needed - found).total() <= may_lack


@cache
def as_markup(wording: str, text: str) -> str:
    """HTML of it, in an element or in an attribute's double quotes: only the tags of `text` are tags."""
    escaped = html.escape(wording, quote=False).replace('"', "&quot;")
    for tag in TAG.findall(text):
        escaped = escaped.replace(html.escape(tag), tag)
    return escaped
