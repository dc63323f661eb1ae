"""What makes a page quick on a phone, whatever the machine: it does not move while it comes, and its largest part is
among what the first packets bring."""

import re
from pathlib import Path

import httpx2
import pytest
from support.breadth import PHONES
from support.browser_visits import BrowseAt, Visit
from support.sandbox_catalogue import PRICES
from support.services import Start, Vendors

from benchmarks.phone import PAGES, PHONE, came, slow_down

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
# Ten segments, which a server may send before it has heard of the first (RFC 6928).
FIRST_FLIGHT = 14 * 1024
# A packet may end within a line, whose end then moves its beginning.
STILL = 0.02
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 5"><path fill="#aa8" d="M0 0h8v5H0z"/></svg>'


def first_flight(visit: Visit, path: str) -> bytes:
    """As much of a page as comes with the first packets; pages are not compressed (docs/decisions/compression.md)."""
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in visit.cookies)
    headers = {"cookie": cookies, "accept": "text/html", "accept-encoding": "gzip"}
    with httpx2.Client(trust_env=False) as http:
        reply = http.get(visit.url + path, headers=headers)
    head = sum(len(name) + len(value) + 4 for name, value in reply.headers.raw)
    return reply.content[: FIRST_FLIGHT - head]


def flaws(visit: Visit, path: str) -> list[str]:
    found = came(visit.page, visit.url + path)
    assert found.tag, path
    begun = len(re.findall(rf"<{found.tag}\b".encode(), first_flight(visit, path)))
    late = [f"the largest part, {found.tag} number {found.number}, comes late"] if begun <= found.number else []
    return late + ([f"moves by {found.shift:.3f}: {found.moved}"] if found.shift > STILL else [])


@pytest.fixture
def theme(tmp_path: Path) -> str:
    """Another shop's look, with pictures that come later than the page."""
    (tmp_path / "picture.svg").write_text(PICTURE)
    pictures = [f'"{reward}" = "picture.svg"' for reward in PRICES]
    lines = ["[logo]", 'light = "picture.svg"', "width = 96", "height = 60", "[hero]", 'picture = "picture.svg"']
    path = tmp_path / "theme.toml"
    path.write_text("\n".join([*lines, "[pictures.of]", *pictures]))
    return str(path)


@pytest.mark.broad
@pytest.mark.parametrize("is_slow", [False, True][:PHONES], ids=["quick", "slow"][:PHONES])
@pytest.mark.parametrize("persona", PAGES)
def test_no_page_moves_while_it_comes_and_its_largest_part_is_among_what_comes_first(
    start: Start, browse_at: BrowseAt, vendors: Vendors, theme: str, persona: str, is_slow: bool
) -> None:
    found = []
    with browse_at(start(THEME=theme), **PHONE) as visit:
        if persona != "stranger":
            visit.sign_in(persona)
        if is_slow:
            slow_down(visit.page)
        for path in PAGES[persona]:
            found += [f"{path}: {flaw}" for flaw in flaws(visit, path)]
    assert found == []
