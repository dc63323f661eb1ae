"""Every page in every state is accessible, fits small screens and keeps its own policy (WCAG 2.2, I3)."""

import pytest
from support.breadth import PAGE_LOOKS, THEMED_PERSONAS, WALKED_PERSONAS
from support.browser_visits import BrowseAt, Visit
from support.every_page import TOURS, tour
from support.looks import LOOKS, THEMED, Look, seen
from support.services import Start, Vendors
from support.snippets import to_run

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
# They are long, and in English alone.
DOCUMENTS = {"docs", "problem"}


@pytest.mark.broad
@pytest.mark.parametrize("persona", list(TOURS)[:WALKED_PERSONAS])
def test_I3_every_page_in_every_state_is_accessible_fits_small_screens_and_keeps_its_policy(
    visit: Visit, vendors: Vendors, persona: str
) -> None:
    assert walked(visit, vendors, persona, LOOKS[:PAGE_LOOKS]) == []


@pytest.mark.broad
@pytest.mark.parametrize("persona", list(reversed(TOURS))[:THEMED_PERSONAS])
def test_I3_every_page_in_every_state_is_accessible_in_the_colours_of_another_shop(
    start: Start, browse_at: BrowseAt, vendors: Vendors, persona: str
) -> None:
    (_, theme) = to_run("docs/theme.md", "toml")
    with browse_at(start(THEME=theme.text)) as visit:
        assert walked(visit, vendors, persona, THEMED) == []


def walked(visit: Visit, vendors: Vendors, persona: str, looks: tuple[Look, ...]) -> list[str]:
    """Whatever is wrong on this persona's way."""
    found = []
    for place in tour(persona, visit, vendors):
        chosen = looks[:2] if place.name in DOCUMENTS else looks
        found += [f"{place.name}, {flaw}" for flaw in seen(visit, chosen)]
    return found + visit.complaints
