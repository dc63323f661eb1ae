"""A vendor's texts made fit to be shown: HTML with a few tags left, or plain text."""

import html
import re
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
import nh3

from bff.settings.sites import LOCAL_HOSTS

RowT = TypeVar("RowT", bound=msgspec.Struct)
TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
# Where one of these ends, the next word does not belong to the one before.
# Neither part of it can look far ahead in vain, so that it takes as long as the text is (H11).
BREAK = re.compile(r"(?i)</(?:p|div|li|h[1-6]|td)>|<br\b[^<>]{0,100}>")
LAYERS = 3
LONGEST_SOURCE = 50_000
LONGEST_WORDS = 2_000
# C0 and C1 controls but the line breaks and the tab, and what changes the direction of the words around it (UAX #9).
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def without_controls(text: str) -> str:
    """A vendor's text without what a terminal, a database or a page would obey instead of showing it."""
    # Each of them is not printable, and most texts are.
    return text if text.isprintable() else CONTROLS.sub("", text)


def one_line(text: str) -> str:
    """The same on one line: every kind of space and line break is a space."""
    return " ".join(without_controls(text).split())


def with_clean_texts(row: RowT) -> RowT:
    """A row of the database to be shown, its texts on one line and without controls: it may have been written before
    vendors' texts were cleaned where replies are read."""
    texts = {name: text for name, text in msgspec.structs.asdict(row).items() if isinstance(text, str)}
    return msgspec.structs.replace(row, **{name: one_line(text) for name, text in texts.items()})


def sanitize_html(text: str) -> str:
    """A vendor's HTML with no tags left but `TAGS`; links only to absolute https or mailto addresses (I2)."""
    return nh3.clean(
        text,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "mailto"},
        attribute_filter=lambda tag, name, value: value if name != "href" or _is_absolute(value) else None,
        link_rel="noopener noreferrer",
    )


def plain_words(text: str) -> str:
    """A vendor's text as plain words: without controls and tags, and not longer than anybody would read."""
    if len(text) <= LONGEST_WORDS and text.isprintable() and "<" not in text and "&" not in text:
        return text
    return strip_html(without_controls(text[:LONGEST_SOURCE]))[:LONGEST_WORDS]


def strip_html(text: str) -> str:
    """A vendor's words without tags, and characters instead of entities. What was escaped is not brought to life: it is
    taken off layer by layer, and stays escaped when there are too many. A tag that is cut off at the end goes too."""
    for _ in range(LAYERS):
        if "<" not in text and "&" not in text:
            return text
        # Alone, "</" at the end is text, but on a page it would take what follows for a tag's name.
        bare = nh3.clean(BREAK.sub(" ", text.removesuffix("</")), tags=set())
        words = " ".join(html.unescape(bare).split())
        if words == text:
            return text
        text = words
    return nh3.clean(text, tags=set())


def _is_absolute(url: str) -> bool:
    parts = urlsplit(url.strip())
    return (parts.scheme == "https" and bool(parts.hostname)) or (parts.scheme == "mailto" and bool(parts.path))


def safe_link(url: str | None) -> str | None:
    """A vendor's address, if it may be made a link: https, or a server on this very machine in development (F4)."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    is_local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
    return url if parts.hostname and (parts.scheme == "https" or is_local) else None
