"""Every page is reached from the front page by links and buttons alone, with or without scripts."""

from collections.abc import Mapping

import pytest
from support.breadth import ADDRESSES_ALIKE, EXPLORERS, SCRIPT_MODES
from support.browser_visits import Browse
from support.explorer import Explorer, pages
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
NOBODY = {
    "/blocked": "whoever is blocked is led there from every page",
    "/session/continue": "another site sends shoppers there, with a ticket",
    "/retailers/{id}/unlink": "who signs in after sending its form is led there, and on to the shops",
}
FOR_WHO_IS_SIGNED_IN = "there is nothing of theirs before they sign in"
NOT_REACHED: Mapping[str, Mapping[str, str]] = {
    "ella": {
        **NOBODY,
        "/join": "she has joined",
        "/welcome": "who has just joined is led there",
    },
    "stranger": {
        **NOBODY,
        "/earn/birthday": "a way to earn, whose own page leads to signing in",
        "/welcome": "who has just joined is led there",
        "/redemptions/{key}": "a stranger redeems nothing",
        "/activity.csv": FOR_WHO_IS_SIGNED_IN,
        "/callback": "the shop leads back there from its sign-in",
        "/logout/everywhere": FOR_WHO_IS_SIGNED_IN,
        "/logout/continue": FOR_WHO_IS_SIGNED_IN,
        "/signed-out": FOR_WHO_IS_SIGNED_IN,
    },
    # She joins on the way.
    "penny": {**NOBODY, "/redemptions/{key}": "she has too few points for any reward"},
}


@pytest.mark.broad
@pytest.mark.parametrize(
    "scripts", [False, True][:SCRIPT_MODES], ids=["without-scripts", "with-scripts"][:SCRIPT_MODES]
)
@pytest.mark.parametrize("persona", list(NOT_REACHED)[:EXPLORERS])
def test_every_page_is_reached_by_links_and_buttons_alone(
    browse: Browse, vendors: Vendors, persona: str, scripts: bool
) -> None:
    # A phone, where most of the navigation is under "More".
    visit = browse(java_script_enabled=scripts, viewport={"width": 360, "height": 640})
    explorer = Explorer(visit, ADDRESSES_ALIKE)
    if persona != "stranger":
        visit.go("/")
        visit.follow("Sign in")
        visit.introduce(persona)
    explorer.explore()
    reasons = NOT_REACHED[persona]
    assert pages().keys() - explorer.reached - reasons.keys() == set(), "no link leads to these"
    assert reasons.keys() & explorer.reached == set(), "these are reached, and said not to be"
    assert reasons.keys() <= pages().keys()
    assert visit.complaints == []
