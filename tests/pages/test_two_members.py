"""Parts of pages are imported once for everybody: what two members read at the same time is of each alone."""

from collections.abc import Callable, Iterator, Mapping

from jinja2.meta import find_undeclared_variables
from support.concurrency import at_once
from support.page_rules import markup_of
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service
from support.shopper import Page, Shopper

from bff.languages.catalogues import Catalogues
from bff.settings.read import read_settings
from bff.web.assets import Assets
from bff.web.paths import Paths
from bff.web.templates import make_templates

PATHS = ("/", "/rewards", f"/rewards/{FIVE_OFF}", "/refer", "/retailers", "/logout/everywhere", "/no/such/page")
ROUNDS = 3
# Of the forms on these pages: each says what it is for.
TOKENS = 4


def told_by(page: Page) -> Iterator[str]:
    """Every text and every value of an attribute."""
    for element in markup_of(page).elements:
        yield from (element.text.strip(), *element.attributes.values())


def told_to(shopper: Shopper) -> set[str]:
    return {told for path in PATHS for told in told_by(shopper.get(path))}


def pages_of(shopper: Shopper, order: int) -> Callable[[], list[Page]]:
    """In one order or the other, so that two members meet on every page and between them."""
    return lambda: [shopper.get(path) for _ in range(ROUNDS) for path in PATHS[::order]]


def tokens_of(pages: list[Page]) -> set[str]:
    return {form.fields["csrf"] for page in pages for form in page.read.forms if "csrf" in form.fields}


def test_D5_members_who_come_at_once_see_no_word_and_no_token_of_each_other(service: Service) -> None:
    ella, tara, nobody = visitors = [service.signed_in("ella"), service.signed_in("tara"), service.shopper()]
    assert {redeem(member, FIVE_OFF, new_key()).status_code for member in (ella, tara)} == {201}
    alone = [told_to(visitor) for visitor in visitors]
    own = [told - set().union(*(others for others in alone if others is not told)) for told in alone]
    together = at_once([pages_of(ella, 1), pages_of(tara, -1), pages_of(nobody, 1)])
    assert [len(tokens_of(pages)) for pages in together] == [TOKENS, TOKENS, 0]
    for its_own, pages in zip(own, together, strict=True):
        told = {told for page in pages for told in told_by(page)}
        assert tokens_of(pages) <= its_own
        assert [others & told for others in own if others is not its_own] == [set(), set()]


def test_no_part_of_a_page_names_anything_of_a_request(settings: Mapping[str, str]) -> None:
    read = read_settings(settings)
    templates = make_templates(read, Paths((), ""), Assets(ROOT / "static", read), Catalogues())("en")
    parts = {part.name: part.read_text() for part in (ROOT / "templates" / "parts").iterdir()}
    assert len(parts) >= 10
    for name, part in parts.items():
        assert find_undeclared_variables(templates.parse(part)) <= templates.globals.keys(), name
