"""What a page weighs on the wire, gzipped, in its heaviest state: HTML 20 KB, CSS 8 KB, JavaScript 17 KB in all."""

import gzip
import re
from urllib.parse import urljoin

import pytest
from support.every_route import page_paths, surface
from support.page_rules import markup_of
from support.services import ROOT, Service, Start
from support.shopper import Page, Shopper
from support.snippets import to_run

from bff.web.assets import SHARED

KB = 1024
HTML, CSS, SCRIPTS = 20 * KB, 8 * KB, 17 * KB


def weight(content: bytes) -> int:
    return len(gzip.compress(content, mtime=0))


def files(shopper: Shopper, page: Page, tag: str, attribute: str, ends: str) -> list[bytes]:
    names = [element.attributes.get(attribute, "") for element in markup_of(page).all(tag)]
    wanted = [urljoin(page.url, name) for name in names if name.endswith(ends)]
    return [shopper.request("GET", name.removeprefix(shopper.base)).content for name in wanted]


@pytest.mark.parametrize("persona", ["ella", "tara", "penny", None])
def test_no_page_is_heavier_than_its_budget(service: Service, settings: dict[str, str], persona: str | None) -> None:
    shopper = service.signed_in(persona) if persona else service.shopper()
    seen = 0
    for path in page_paths(surface(settings)):
        page = shopper.get(path)
        if not page.url.startswith(shopper.base) or "html" not in page.reply.headers.get("content-type", ""):
            continue
        seen += 1
        styles = files(shopper, page, "link", "href", ".css")
        assert len(styles) == 1, f"{path} asks for CSS {len(styles)} times"
        assert weight(page.reply.content) <= HTML, path
        assert weight(styles[0]) <= CSS, path
        assert not re.search(rb"@import|url\((?!theme-)", styles[0])
    assert seen > 8


def test_all_scripts_together_are_within_their_budget() -> None:
    """Those of the pages; what storefronts load has budgets of its own."""
    scripts = [script for script in (ROOT / "static").glob("*.js") if script.name not in SHARED]
    assert len(scripts) >= 2
    assert sum(weight(script.read_bytes()) for script in scripts) <= SCRIPTS


@pytest.mark.parametrize("number", [0, 1])
def test_a_theme_of_its_own_stays_within_the_budget_of_css(start: Start, number: int) -> None:
    shopper = start(THEME=list(to_run("docs/theme.md", "toml"))[number].text).shopper()
    (style,) = files(shopper, shopper.get("/"), "link", "href", ".css")
    assert weight(style) <= CSS
