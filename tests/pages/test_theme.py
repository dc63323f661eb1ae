"""The merchant's own look through the front door: one style sheet, own files, allowed hosts, and the bare layout."""

import json
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.every_route import REWARD
from support.page_rules import flaws_of, markup_of
from support.services import Start
from support.shopper import Page, Shopper

SILVER = "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"/>'
THEME = f"""
radius = 4
[light]
brand = "#3b0d4f"
accent = "#ffc800"
link = "#6a2c8a"
page = "#ffffff"
[dark]
accent = "#ffc800"
[fonts]
text = "own.woff2"
[logo]
light = "logo.svg"
dark = "https://cdn.example.com/logo-dark.svg"
width = 120
height = 40
[hero]
picture = "hero.webp"
[links]
terms = "https://shop.example.com/terms"
contact = "mailto:help@shop.example.com"
[pictures.of]
{REWARD} = "five.webp"
{SILVER} = "silver.webp"
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    """The path of a theme with files of its own beside it."""
    for name in ("own.woff2", "hero.webp", "five.webp", "silver.webp"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "logo.svg").write_bytes(SVG)
    (tmp_path / "theme.toml").write_text(THEME)
    return str(tmp_path / "theme.toml")


def attributes(page: Page, tag: str, **having: str) -> list[dict[str, str]]:
    found = [element.attributes for element in markup_of(page).all(tag)]
    return [each for each in found if having.items() <= each.items()]


def style_of(shopper: Shopper, page: Page) -> str:
    (link,) = attributes(page, "link", rel="stylesheet")
    return shopper.request("GET", link["href"]).text


def test_there_is_one_style_sheet_and_the_theme_is_in_it(start: Start, own: str) -> None:
    shopper = start(THEME=own).shopper()
    style = style_of(shopper, shopper.get("/"))
    assert "--brand:#3b0d4f" in style
    assert "--radius:0.25rem" in style
    assert re.search(r"prefers-color-scheme:dark\)\{:root\{--accent:#ffc800", style)
    font = re.search(r"url\(([\w.-]+)\)", style)
    assert font is not None
    served = shopper.request("GET", f"/static/{font[1]}")
    assert (served.content, served.headers["content-type"]) == (b"own.woff2", "font/woff2")
    assert "url(http" not in style


def test_another_theme_is_another_address(shopper: Shopper, start: Start, urls: list[str], own: str) -> None:
    ours, theirs = shopper, start(PORT=urls[1].rpartition(":")[2], PUBLIC_URL=urls[1], THEME=own).shopper()
    assert attributes(ours.get("/"), "link", rel="stylesheet") != attributes(theirs.get("/"), "link", rel="stylesheet")


def test_logo_hero_and_pictures_of_rewards_are_on_the_pages_and_their_hosts_in_the_policy(
    start: Start, own: str
) -> None:
    shopper = start(THEME=own, BRAND_NAME="Fern & Fog").shopper()
    for path in ("/", "/rewards", f"/rewards/{REWARD}"):
        page = shopper.get(path)
        assert flaws_of(page, signed_in=False) == []
        assert "img-src 'self' https://cdn.example.com;" in page.reply.headers["content-security-policy"]
        (logo,) = attributes(page, "img", alt="Fern & Fog")
        assert (logo["width"], shopper.request("GET", logo["src"]).content) == ("120", SVG)
        assert attributes(page, "source")[0]["srcset"] == "https://cdn.example.com/logo-dark.svg"
        picture = next(each for each in attributes(page, "img") if each["src"] != logo["src"])
        assert shopper.request("GET", picture["src"]).content == (b"hero.webp" if path == "/" else b"five.webp")
        assert path == "/" or picture["loading"] == "lazy"


def test_a_tier_has_the_merchants_picture(start: Start, own: str) -> None:
    shopper = start(THEME=own).shopper()
    (picture,) = attributes(shopper.get("/tiers"), "img", loading="lazy")
    assert shopper.request("GET", picture["src"]).content == b"silver.webp"
    assert (picture["alt"], picture["width"], picture["height"]) == ("", "640", "400")


def test_what_is_shared_and_put_on_a_home_screen_has_name_picture_and_colours(start: Start, own: str) -> None:
    service = start(THEME=own, BASE_PATH="/loyalty", BRAND_NAME="Fern & Fog")
    shopper = service.shopper()
    page = shopper.get("/loyalty/rewards")
    told = {meta.get("property", meta.get("name", "")): meta.get("content", "") for meta in attributes(page, "meta")}
    assert (told["og:title"], told["og:site_name"]) == ("Rewards", "Fern & Fog")
    assert "Fern & Fog" in told["description"] == told["og:description"]
    assert shopper.request("GET", told["og:image"].removeprefix(service.url)).content == b"hero.webp"
    grounds = {meta.get("media"): meta["content"] for meta in attributes(page, "meta", name="theme-color")}
    assert grounds == {"(prefers-color-scheme: light)": "#ffffff", "(prefers-color-scheme: dark)": "#131412"}
    (manifest,) = attributes(page, "link", rel="manifest")
    reply = shopper.request("GET", manifest["href"])
    assert reply.headers["content-type"] == "application/manifest+json"
    said = json.loads(reply.text)
    assert (said["name"], said["start_url"], said["scope"]) == ("Fern & Fog", "/loyalty/", "/loyalty/")
    folder = manifest["href"].rpartition("/")[0]
    assert [shopper.request("GET", f"{folder}/{icon['src']}").status_code for icon in said["icons"]] == [200, 200]


def test_the_touch_icon_is_a_sound_picture_in_the_brands_colour(start: Start, own: str) -> None:
    shopper = start(THEME=own).shopper()
    (link,) = attributes(shopper.get("/"), "link", rel="apple-touch-icon")
    chunks = chunks_of(shopper.request("GET", link["href"]).content)
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (180, 180)
    assert chunks[b"PLTE"][:3] == bytes.fromhex("3b0d4f")
    assert chunks[b"PLTE"][-3:] == b"\xff\xff\xff"
    assert len(zlib.decompress(chunks[b"IDAT"])) == 180 * 91


def chunks_of(png: bytes) -> Mapping[bytes, bytes]:
    """By their type, each with a check sum that is right (PNG §5.3)."""
    found, at = {}, 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack(">I", png[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        found[kind], at = body, at + 12 + size
    return found


def test_a_shop_without_a_dark_scheme_gets_none(start: Start) -> None:
    shopper = start(THEME='schemes = ["light"]').shopper()
    page = shopper.get("/")
    assert attributes(page, "meta", name="color-scheme")[0]["content"] == "light"
    assert style_of(shopper, page).startswith("@layer loyalty{:root{color-scheme:light;")
    assert "prefers-color-scheme:dark" not in style_of(shopper, page)


def test_the_footer_leads_to_what_the_theme_names(start: Start, own: str) -> None:
    shopper = start(THEME=own).shopper()
    page = shopper.get("/rewards")
    assert {"https://shop.example.com/terms", "mailto:help@shop.example.com", "/accessibility"} <= set(page.read.links)
    assert not any("privacy" in link for link in page.read.links)
    assert "mailto:help@shop.example.com" in shopper.get("/accessibility").read.links


def test_every_place_of_the_navigation_is_a_page(ella: Shopper) -> None:
    markup = ella.get("/").reply.text
    places = re.findall(r'href="(/[^"]*)"', markup[markup.index("<nav") : markup.index("</nav>")])
    assert len(places) >= 4
    assert [ella.get(path).status for path in places] == [200] * len(places)


@pytest.mark.parametrize("persona", ["ella", None])
def test_a_bare_page_leaves_header_and_footer_to_the_storefront(start: Start, own: str, persona: str | None) -> None:
    service = start(THEME=own, LAYOUT="bare")
    shopper = service.signed_in(persona) if persona else service.shopper()
    for path in ("/", "/rewards", "/refer", "/accessibility", "/no-such-page"):
        page = shopper.get(path)
        markup = markup_of(page)
        assert flaws_of(page, signed_in=persona is not None) == []
        assert markup.all("header", "footer") == []
        assert attributes(page, "img", alt="Loyalty") == []
        assert len(markup.all("main")) == 1
        assert markup.all("nav")
        assert {"#main", "/accessibility"} <= set(page.read.links)
        assert "https://shop.example.com/terms" not in page.read.links
        assert any(form.action == "/logout" for form in page.read.forms) == (persona is not None)
