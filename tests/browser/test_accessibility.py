"""Every page in every state is accessible, fits small screens and keeps its own policy (WCAG 2.2, I3)."""

from collections.abc import Iterator
from typing import Literal

import pytest
from support.breadth import PAGE_LOOKS, WALKED_PERSONAS
from support.browser_visits import Visit
from support.every_page import TOURS, tour
from support.services import Vendors

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
# Every rule where the layout differs most; what depends on colour and size everywhere.
LOOKS: tuple[tuple[int, Literal["light", "dark"], tuple[str, ...]], ...] = (
    (360, "light", ()),
    (1280, "dark", ()),
    (320, "dark", ("target-size",)),
    (360, "dark", ("color-contrast", "target-size")),
    (1280, "light", ("color-contrast", "target-size")),
)


@pytest.mark.broad
@pytest.mark.parametrize("persona", list(TOURS)[:WALKED_PERSONAS])
def test_I3_every_page_in_every_state_is_accessible_fits_small_screens_and_keeps_its_policy(
    visit: Visit, vendors: Vendors, persona: str
) -> None:
    findings = []
    for place in tour(persona, visit, vendors):
        findings += [f"{place.name}, {finding}" for finding in _findings(visit)]
    assert findings + visit.complaints == []


def _findings(visit: Visit) -> Iterator[str]:
    for width, scheme, rules in LOOKS[:PAGE_LOOKS]:
        # Without motion, so that no colour is caught on its way from light to dark.
        visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        visit.page.set_viewport_size({"width": width, "height": 800})
        yield from (f"{width} px, {scheme}: {barrier}" for barrier in visit.barriers(*rules))
        if not visit.fits():
            yield f"{width} px: scrolls sideways"
