"""Which of the languages there are somebody is answered in."""

import re
from collections.abc import Sequence
from functools import lru_cache

ACCEPTED = 16
ENTRY = re.compile(r"([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)(?:;q=([01](?:\.\d{0,3})?))?")


@lru_cache(512)
def accepted(header: str, tags: Sequence[str]) -> str | None:
    """Of these tags the one that an Accept-Language likes best (RFC 9110 §12.5.4); None when it likes none of them."""
    liked: dict[str, float] = {}
    for entry in header.lower().split(",")[:ACCEPTED]:
        form = ENTRY.fullmatch(entry.replace(" ", "").replace("\t", ""))
        found = match(form[1], tags) if form else None
        if form and found:
            liked.setdefault(found, float(form[2] or 1))
    best = max(liked, key=lambda tag: liked[tag], default=None)
    return best if best is not None and liked[best] > 0 else None


def match(wanted: str, tags: Sequence[str]) -> str | None:
    """The one that is wanted, else a less special one (RFC 4647 §3.4): for `fr-CA`, `fr`."""
    known = {tag.lower(): tag for tag in tags}
    parts = wanted.lower().replace("_", "-").split("-")
    ranges = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((known[one] for one in ranges if one in known), None)
