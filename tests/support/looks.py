"""How a page may be looked at: sizes of the screen, colours, languages, the spacing that a reader asks for; and what is
looked for each time. What differs most comes first; later ones look only for what depends on what they change."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from babel.messages.pofile import read_po

from support.browser_visits import Visit
from support.page_sight import Sight, cut, misread, overlapping, unfocused
from support.services import ROOT

ARABIC = "ar"
SPACE = """(is_wanted) => {
  const sheet = new CSSStyleSheet();
  // A script whose letters are joined has no space between them.
  sheet.replaceSync(`* { line-height: 1.5 !important; word-spacing: .16em !important }
    p { margin-block-end: 2em !important } [dir=ltr] * { letter-spacing: .12em !important }`);
  document.adoptedStyleSheets = is_wanted ? [sheet] : [];
}"""


def _barriers(*rules: str) -> Sight:
    return lambda visit: visit.barriers(*rules)


EVERY_RULE, COLOURS, SIZES = _barriers(), _barriers("color-contrast"), _barriers("target-size")
SHAPE = (cut, overlapping)


@dataclass(frozen=True)
class Look:
    width: int
    scheme: Literal["light", "dark"]
    sights: tuple[Sight, ...]
    language: str = "en"
    forced: bool = False
    # As WCAG 2.2 §1.4.12 has it.
    spaced: bool = False

    def __str__(self) -> str:
        marks = ["forced colours"] * self.forced + ["spaced"] * self.spaced
        return ", ".join([f"{self.width} px", self.scheme, self.language, *marks])

    def put_on(self, visit: Visit) -> None:
        """Show the page in this way; for another language it is asked for anew."""
        # Without motion, so that no colour is caught on its way from light to dark.
        colours: Literal["active", "none"] = "active" if self.forced else "none"
        visit.page.emulate_media(color_scheme=self.scheme, reduced_motion="reduce", forced_colors=colours)
        visit.page.set_viewport_size({"width": self.width, "height": 800 if self.width > 600 else 640})
        visit.speak(self.language)
        visit.run(SPACE, self.spaced)


def longest_language() -> str:
    """The one whose texts take the most room."""

    def length(language: str) -> int:
        with (ROOT / "locales" / f"{language}.po").open("rb") as file:
            return sum(len("".join(message.string or "")) for message in read_po(file) if message.id)

    return max((path.stem for path in (ROOT / "locales").glob("*.po")), key=length)


LONGEST = longest_language()
LOOKS = (
    Look(360, "light", (EVERY_RULE, *SHAPE, unfocused, misread)),
    Look(1280, "dark", (EVERY_RULE, *SHAPE)),
    Look(320, "dark", (SIZES, *SHAPE)),
    Look(360, "dark", (COLOURS,)),
    Look(1280, "light", (COLOURS, misread)),
    # Which colours are forced is not axe's to judge: it takes those of the author for them.
    Look(360, "dark", (SIZES, *SHAPE, unfocused), forced=True),
    Look(360, "light", (EVERY_RULE, *SHAPE, unfocused, misread), ARABIC),
    Look(1280, "dark", (COLOURS, SIZES, *SHAPE), ARABIC),
    Look(320, "light", SHAPE, ARABIC, spaced=True),
    Look(320, "light", (SIZES, *SHAPE), LONGEST),
    Look(320, "light", SHAPE, LONGEST, spaced=True),
)
# In the colours of another shop.
THEMED = (Look(360, "light", (COLOURS, *SHAPE)), Look(1280, "dark", (COLOURS, *SHAPE), ARABIC))


def seen(visit: Visit, looks: tuple[Look, ...]) -> Iterator[str]:
    """Whatever is wrong with the page in one of these looks. What comes next is in English again."""
    for look in looks:
        look.put_on(visit)
        if not visit.page.url.startswith(visit.url):
            break  # It was there once, and leads elsewhere when it is asked for again.
        yield from (f"{look}: {flaw}" for sight in look.sights for flaw in sight(visit))
    visit.choose("en")
