"""A vendor's texts made fit to be shown: HTML with a few tags left, or plain text."""

import html
import re
from urllib.parse import urlsplit

import nh3

from bff.settings.sites import LOCAL_HOSTS

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
# Where one of these ends, the next word does not belong to the one before.
BREAK = re.compile(r"(?i)</(?:p|div|li|h[1-6]|td)\s*>|<br\b[^>]*>")
LAYERS = 3


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


def strip_html(text: str) -> str:
    """A vendor's words without tags, and characters instead of entities. What was escaped is not brought to life: it is
    taken off layer by layer, and stays escaped when there are too many. A tag that is cut off at the end goes too."""
    for _ in range(LAYERS):
        if not re.search("[<&]", text):
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
