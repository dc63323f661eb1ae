"""No English sentence reaches a page in another language: through a catalogue that marks each text, what has no mark is
the vendor's, or is forgotten."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from support.every_page import INSTAGRAM
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service, Start, Vendors
from support.shopper import Page

BEGIN, END = "⟦", "⟧"
# Esperanto, of which there is no catalogue of ours.
TAG = "eo"
PATHS = (
    *("/", "/rewards", f"/rewards/{FIVE_OFF}", "/rewards/no-such-reward", "/refer", "/retailers", "/join", "/welcome"),
    *("/earn", INSTAGRAM, "/earn/birthday", "/coupons", "/activity", "/tiers", "/faq", "/faq?q=zzz", "/accessibility"),
    *("/logout/everywhere", "/signed-out", "/no/such/page", "/callback?state=again.x"),
)
READ_OUT = ("aria-label", "alt", "title", "placeholder", "data-copied")
# Names and the vendor's words stand in these, and in what finds its direction by itself. A link's `lang` is of the
# language that it names; what can be chosen comes from CLDR.
NOT_OURS = {"bdi", "time", "script", "style"}


class Unmarked(HTMLParser):
    """Finds texts with letters in them that are neither marked nor in an element for others' words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.theirs: set[str] = set()
        self._open: list[tuple[str, bool]] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.found += [given[name] for name in READ_OUT if BEGIN not in given.get(name, BEGIN)]
        is_named = "hreflang" in given or given.get("dir") == "auto" or (tag == "option" and given.get("value"))
        is_policy = "policy" in (given.get("id"), given.get("aria-describedby"))
        if tag not in {"input", "meta", "link", "br", "img", "path"}:
            self._open.append((tag, tag in NOT_OURS or bool(is_named) or is_policy))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        own, depth = [], self._depth
        for letter in data:
            depth += (letter == BEGIN) - (letter == END)
            own += [letter] if depth == 0 and letter != END else []
        self._depth = depth
        text = "".join(own).replace("· Loyalty", "").strip()
        if any(is_theirs for _, is_theirs in self._open):
            self.theirs.add(text)
        elif any(map(str.isalpha, text)):
            self.found.append(text)


def unmarked(page: Page) -> list[str]:
    reader = Unmarked()
    reader.feed(page.reply.text)
    # A title holds no elements: a name in it stands on the page as well.
    return [text for text in reader.found if text not in reader.theirs]


@pytest.fixture
def marked(start: Start, tmp_path: Path) -> Service:
    """A service with a language in which every text of ours has marks around it."""
    with (ROOT / "locales" / "messages.pot").open("rb") as file:
        catalog = read_po(file, locale=TAG)
    for message in catalog:
        if isinstance(message.id, tuple):
            message.string = tuple(f"{BEGIN}{text}{END}" for text in message.id)
        elif message.id:
            message.string = f"{BEGIN}{message.id}{END}"
    with (tmp_path / f"{TAG}.po").open("wb") as file:
        write_po(file, catalog)
    return start(LOCALE_DIR=str(tmp_path))


@pytest.mark.parametrize("persona", ["ella", "penny", "blake", "tara", None])
@pytest.mark.parametrize("is_down", [False, True])
def test_every_text_of_ours_on_a_page_is_from_the_catalogue(
    marked: Service, vendors: Vendors, persona: str | None, is_down: bool
) -> None:
    shopper = marked.signed_in(persona) if persona else marked.shopper()
    paths = list(PATHS)
    if persona in {"ella", "tara"}:
        key = new_key()
        assert redeem(shopper, FIVE_OFF, key).status_code == 201
        paths.append(f"/redemptions/{key}")
    if is_down:
        for operation in ("customer", "customer_redemption_rules", "transactions", "legal_policies", "earning_rules"):
            vendors.fault(operation, "status:500", 50)
    # A link chooses the language, so that pages which lead on to others are in it, too.
    assert BEGIN in shopper.get(f"/?lang={TAG}").text
    found = {path: unmarked(shopper.get(path)) for path in paths}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_the_law_finds_a_text_that_was_forgotten(service: Service) -> None:
    assert "Rewards" in unmarked(service.shopper().get("/rewards"))
