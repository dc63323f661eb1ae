"""The colours of the pages, in the light and in the dark: what is given, what follows from it, and which of them must
stand out from which.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from bff.settings.contrast import contrast, mixed, nearest

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
Palette = Mapping[str, str]
TEXT, SHAPE = 4.5, 3.0
# What a merchant may give. `brand` is the large coloured ground, `accent` that of buttons, `link` what is written in
# colour; the three with `-ink` and `link` follow from the others where they are not given.
ROLES: Mapping[str, str] = {
    "brand": "the large coloured card and the head of a coupon",
    "brand-ink": "text on brand",
    "accent": "buttons",
    "accent-ink": "text on buttons",
    "link": "links, icons, figures and focus",
    "page": "behind everything",
    "card": "cards",
    "ink": "text",
    "muted": "secondary text",
    "line": "lines that only decorate",
    "edge": "borders of fields, second buttons and progress",
    "danger": "what went wrong",
    "care": "what needs attention",
}
DEFAULTS: Mapping[Scheme, Palette] = {
    "light": {
        "accent": "#14594a", "page": "#f8f6f2", "card": "#ffffff", "ink": "#1d1b18", "muted": "#5f5a52",
        "line": "#e5e0d8", "edge": "#837d73", "danger": "#a1262b", "care": "#7c4a03",
    },
    "dark": {
        "accent": "#7fd4bb", "page": "#131412", "card": "#1d1f1c", "ink": "#f2f0eb", "muted": "#b1ada5",
        "line": "#343631", "edge": "#8b887f", "danger": "#ff9c97", "care": "#f0bd63",
    },
}  # fmt: skip
INKS = ("#ffffff", "#12110f")
# Which colour stands on which, as the pages use them, and how well it must be told from it.
ON: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("ink", ("page", "card", "soft", "danger-soft", "care-soft"), TEXT),
    ("muted", ("page", "card", "soft", "danger-soft", "care-soft"), TEXT),
    ("link", ("page", "card", "soft", "care-soft"), TEXT),
    ("danger", ("page", "card", "danger-soft"), TEXT),
    ("care", ("card", "care-soft"), SHAPE),
    ("edge", ("page", "card"), SHAPE),
    ("accent-ink", ("accent", "accent-hover"), TEXT),
    ("brand-ink", ("brand",), TEXT),
)


class Faint(NamedTuple):
    """A pair that is hard to tell apart: an ink, the ground it stands on, their contrast, what is needed, and the
    nearest colour in place of the ink that passes on all of its grounds, None where there is none."""

    palette: Palette
    ink: str
    ground: str
    ratio: float
    least: float
    instead: str | None


def complete(given: Palette, scheme: Scheme) -> Palette:
    """All roles, and the shades that the style sheet uses besides."""
    base = {**DEFAULTS[scheme], **given}
    base.setdefault("link", base["accent"])
    base.setdefault("brand", base["accent"] if scheme == "light" else mixed(base["accent"], 0.3, "#050706"))
    base.setdefault("brand-ink", _legible(base["brand"]))
    # A button that is pointed at moves away from its own ink, so that its words stand out the more.
    base.setdefault("accent-ink", _legible(base["accent"]))
    away = "#000000" if contrast(base["accent-ink"], "#000000") > contrast(base["accent-ink"], "#ffffff") else "#ffffff"
    return base | {
        "accent-hover": mixed(base["accent"], 0.88, away),
        "soft": mixed(base["accent"], 0.09, base["card"]),
        "danger-soft": mixed(base["danger"], 0.08, base["card"]),
        "care-soft": mixed(base["care"], 0.09, base["card"]),
    }


def faint_pairs(given: Palette, scheme: Scheme) -> Iterator[Faint]:
    """Every pair that is harder to tell apart than it must be."""
    palette = complete(given, scheme)
    for ink, grounds, least in ON:
        for ground in grounds:
            ratio = contrast(palette[ink], palette[ground])
            if ratio < least:
                yield Faint(palette, ink, ground, ratio, least, _instead(given, scheme, ink))


def _instead(given: Palette, scheme: Scheme, ink: str) -> str | None:
    """Some grounds follow from the ink itself, so they are made anew for each that is tried."""

    def fits(colour: str) -> bool:
        palette = complete({**given, ink: colour}, scheme)
        pairs = [(ground, least) for name, grounds, least in ON if name == ink for ground in grounds]
        return all(contrast(colour, palette[ground]) >= least for ground, least in pairs)

    return nearest(complete(given, scheme)[ink], fits)


def _legible(ground: str) -> str:
    return max(INKS, key=lambda ink: contrast(ink, ground))
