"""How pages hold together in a real browser: large text, narrow columns, right to left, a desk, and a look of one's own
(WCAG 2.2 §1.4.4, §1.4.10, §2.3.3, §2.4.11)."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Literal

import pytest
from support.browser_visits import BrowseAt, Visit
from support.services import ROOT, Service, Start, Vendors
from support.snippets import to_run

from bff.settings.palette import SCHEMES

pytest_plugins = ["support.chromium"]
pytestmark = pytest.mark.browser
FIVE_OFF = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
PATHS = ("/", "/rewards", FIVE_OFF, "/refer", "/retailers", "/join", "/accessibility")
# Every word on more than one line, of words that a line can hold; what is meant to be copied may break anywhere.
BROKEN = """(longest) => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!element.checkVisibility() || element.closest(".code, .mono, .unseen, .skip, script")) continue;
    for (const word of node.data.matchAll(/[^\\s\\u00ad-]+/g)) {
      if (word[0].length > longest) continue;
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(({top}) => Math.round(top)));
      if (lines.size > 1) found.push(`${word[0]} in ${element.tagName}.${element.className}`);
    }
  }
  return found;
}"""
# The narrowest column in which text goes over several lines, in letters of its own size.
NARROWEST = """() => Math.min(...[...document.querySelectorAll("main :is(p, a, span, bdi, strong, h1, h2, h3, dd, li)")]
  .filter((element) => [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim())
    && element.checkVisibility() && !element.closest(".unseen"))
  .map((element) => {
    const size = parseFloat(getComputedStyle(element).fontSize);
    const range = document.createRange();
    range.selectNodeContents(element);
    const lines = new Set([...range.getClientRects()].map(({top}) => Math.round(top / size)));
    return lines.size > 2 ? element.closest("p, li, h1, h2, h3, dd, dt, div").clientWidth / size : Infinity;
  }))"""
COVERED = """() => {
  const focused = document.activeElement;
  const {top, bottom, height} = focused.getBoundingClientRect();
  const bar = document.querySelector(".places").getBoundingClientRect();
  const aside = focused === document.body || focused.closest(".places, .skip");
  return !aside && height > 0 && top < bar.bottom && bottom > bar.top;
}"""
SIDES = """() => {
  const {left, right} = document.querySelector("main > *").getBoundingClientRect();
  return [Math.round(left), Math.round(document.documentElement.clientWidth - right), Math.round(right - left)];
}"""
# What tells left from right, where start and end are meant.
SIDED = re.compile(r"(?:margin|padding|border|inset)-(?:left|right)|[{;\s](?:left|right):|text-align:\s*(?:left|right)")
LARGE = "document.documentElement.style.fontSize = '200%'"
MOTIONS: tuple[tuple[Literal["no-preference", "reduce"], str], ...] = (("no-preference", "block"), ("reduce", "none"))
LONGEST = 12
LEAST_LETTERS = 5


def pages(visit: Visit, persona: str, paths: tuple[str, ...] = PATHS) -> Iterator[str]:
    if persona != "stranger":
        visit.sign_in(persona)
    for path in paths:
        assert visit.go(path) == 200, path
        yield path


@pytest.mark.parametrize("persona", ["stranger", "penny", "ella"])
def test_no_word_breaks_and_no_column_is_a_letter_wide_with_text_twice_as_large_on_a_phone(
    visit: Visit, vendors: Vendors, persona: str
) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    found = []
    for path in pages(visit, persona):
        visit.run(LARGE)
        found += [f"{path}: {word}" for word in visit.run(BROKEN, LONGEST)]
        if not visit.fits():
            found.append(f"{path}: scrolls sideways")
        if (narrowest := visit.run(NARROWEST)) is not None and narrowest < LEAST_LETTERS:
            found.append(f"{path}: a column of {narrowest:.1f} letters")
    assert found == []


def test_no_figure_breaks_however_many_digits_it_has(visit: Visit, vendors: Vendors) -> None:
    visit.page.set_viewport_size({"width": 320, "height": 640})
    visit.sign_in("ella")
    for digits in ("1,240", "99,999", "1,234,567"):
        for size in ("100%", "200%"):
            visit.go("/")
            visit.run(f"document.documentElement.style.fontSize = '{size}'")
            long = "true" if len(digits) > len("99,999") else "false"
            visit.run(f"document.querySelector('.figure').classList.toggle('long', {long})")
            visit.run(f"document.querySelector('.figure strong').textContent = '{digits}'")
            assert visit.run(BROKEN, LONGEST) == [], (digits, size)
            assert visit.fits(), (digits, size)


def test_zoomed_in_four_times_nothing_scrolls_sideways_and_no_bar_covers_what_has_the_focus(
    visit: Visit, vendors: Vendors
) -> None:
    """1280 by 1024 pixels at 400 %."""
    for height in (256, 640):
        visit.page.set_viewport_size({"width": 320, "height": height})
        for path in pages(visit, "stranger", ("/", "/rewards")):
            assert visit.fits(), path
            for _ in range(25):
                visit.page.keyboard.press("Tab")
                assert not visit.run(COVERED), (path, height, visit.run("document.activeElement.outerHTML"))


def test_right_to_left_nothing_sticks_out_and_no_rule_tells_left_from_right(visit: Visit, vendors: Vendors) -> None:
    for width in (320, 1280):
        visit.page.set_viewport_size({"width": width, "height": 800})
        for path in pages(visit, "stranger", ("/", "/rewards", "/accessibility")):
            visit.run("document.documentElement.dir = 'rtl'")
            assert visit.fits(), (path, width)
            visit.page.locator("summary").first.click()
            assert visit.fits(), (path, width, "with more open")
    assert SIDED.findall((ROOT / "static" / "loyalty.css").read_text()) == []


def test_on_a_desk_what_is_narrow_stands_in_the_middle(visit: Visit, vendors: Vendors) -> None:
    visit.page.set_viewport_size({"width": 1280, "height": 800})
    for path in pages(visit, "stranger", ("/join", FIVE_OFF, "/refer", "/accessibility", "/signed-out")):
        left, right, width = visit.run(SIDES)
        assert abs(left - right) <= 1, path
        assert width == 640, path


def test_joy_moves_only_for_those_who_have_not_asked_for_less(visit: Visit, vendors: Vendors) -> None:
    visit.sign_in("penny")
    visit.go("/join")
    visit.press("Accept terms & join")
    visit.page.wait_for_url("**/welcome")
    burst = visit.page.locator(".burst")
    for motion, display in MOTIONS:
        visit.page.emulate_media(reduced_motion=motion)
        assert burst.evaluate("(burst) => getComputedStyle(burst).display") == display
        moving = visit.run("document.getAnimations().length") > 0
        assert not moving or motion == "no-preference"
    visit.page.emulate_media(media="print", reduced_motion="no-preference")
    assert burst.evaluate("(burst) => getComputedStyle(burst).display") == "none"


@pytest.mark.parametrize("number", [0, 1])
def test_every_page_is_accessible_in_a_look_of_its_own(
    start: Start, browse_at: BrowseAt, vendors: Vendors, number: int
) -> None:
    theme = list(to_run("docs/theme.md", "toml"))[number].text
    with browse_at(start(THEME=theme, LAYOUT=("full", "bare")[number])) as visit:
        found = []
        for path in pages(visit, "ella"):
            for width, scheme in product((360, 1280), SCHEMES):
                visit.page.set_viewport_size({"width": width, "height": 800})
                visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                found += [f"{path}, {width}, {scheme}: {barrier}" for barrier in visit.barriers()]
                found += [] if visit.fits() else [f"{path}, {width}: scrolls sideways"]
        assert found + visit.complaints == []


def test_what_the_browser_has_kept_looks_the_same_after_it_has_asked_whether_it_changed(visit: Visit) -> None:
    for path in ("/api/v1/docs", "/problems/rate_limited"):
        visit.go(path)
        size = visit.run("getComputedStyle(document.querySelector('h1')).fontSize")
        visit.page.reload()
        visit.go(path)
        assert visit.run("getComputedStyle(document.querySelector('h1')).fontSize") == size, path
        assert visit.complaints == []


def test_a_stranger_finds_every_place_on_a_phone_by_opening_more(visit: Visit, service: Service) -> None:
    visit.page.set_viewport_size({"width": 320, "height": 640})
    visit.go("/")
    refer = visit.page.get_by_role("link", name="Refer", exact=True)
    assert refer.count() == 0 or not refer.first.is_visible()
    visit.page.locator(".more > summary").click()
    assert visit.fits()
    visit.follow("Refer")
    visit.page.wait_for_url("**/refer")
