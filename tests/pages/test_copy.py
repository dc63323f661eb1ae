"""The merchant's own words through the front door: on every page, in their language, as words and never as markup."""

import re
from pathlib import Path

import pytest
from support.page_rules import flaws_of, markup_of
from support.processes import bff
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import Start
from support.shopper import Page

from pages.test_theme import style_of

PAGES = ("/", "/earn", "/rewards", "/coupons", "/tiers", "/activity", "/refer", "/faq", "/retailers")
SHOP = """
[light]
brand = "#3b0d4f"
accent = "#6a2c8a"
page = "#ffffff"
[fonts]
display = "serif"
"""
WORDS = """
[en]
"Rewards" = "Perks"
"Shopping that gives back" = "The Fern & Fog Club"
"Sign in to start" = "Come on in"
"""


def test_a_reworded_text_is_on_the_pages_in_its_language_alone(start: Start) -> None:
    shopper = start(COPY='[en]\n"Rewards" = "Perks"\n[de]\n"Rewards" = "Extras"').shopper()
    found = {tag: shopper.get(f"/rewards?lang={tag}").heading for tag in ("en", "de", "fr")}
    assert found == {"en": "Perks", "de": "Extras", "fr": "Récompenses"}


def test_words_are_no_markup(start: Start) -> None:
    said = 'Perks "&amp;" <3 > 2 \' 100 %'
    copy = f"[en]\n'Rewards' = '''{said}'''\n'Language' = '''{said}'''\n'Sign in' = '''{said}'''"
    page = start(COPY=copy).shopper().get("/rewards")
    assert flaws_of(page, signed_in=False) == []
    assert page.heading == said
    assert said in {nav.attributes["aria-label"] for nav in markup_of(page).all("nav")}
    assert said in {meta.attributes["content"] for meta in markup_of(page).all("meta") if "content" in meta.attributes}


def test_plural_forms_and_values_are_put_into_the_merchants_words(start: Start) -> None:
    points = "{one = 'one star', other = '%(points)s stars'}"
    have = "{one = 'One <strong>%(points)s</strong> star.', other = '<strong>%(points)s stars</strong> are yours.'}"
    copy = f"[en]\n'%(points)s point' = {points}\n'You have <strong>%(points)s point</strong>.' = {have}"
    ella = start(COPY=copy).signed_in("ella")
    assert "500 stars" in ella.get("/rewards").text
    page = ella.get("/activity")
    assert "<strong>1,240 stars</strong> are yours." in page.reply.text
    assert flaws_of(page, signed_in=True) == []


def test_a_region_and_a_language_of_the_merchants_have_their_own_words(start: Start, tmp_path: Path) -> None:
    (tmp_path / "en-GB.po").write_text('msgid "Tiers"\nmsgstr "Levels"\n', "utf-8")
    (tmp_path / "nl.po").write_text('msgid "Rewards"\nmsgstr "Beloningen"\n', "utf-8")
    copy = """
    [en]
    "Rewards" = "Perks"
    "Tiers" = "Circles"
    ["en-GB"]
    "Rewards" = "Treats"
    [nl]
    "Rewards" = "Extraatjes"
    """
    shopper = start(COPY=copy, LOCALE_DIR=str(tmp_path)).shopper()
    found = {tag: shopper.get(f"/rewards?lang={tag}").heading for tag in ("en", "en-GB", "nl")}
    assert found == {"en": "Perks", "en-GB": "Treats", "nl": "Extraatjes"}
    # The region's own catalogue is nearer than the words for all of the language.
    assert shopper.get("/tiers?lang=en-GB").heading == "Levels"


def test_sentences_of_the_api_and_refusals_are_in_the_merchants_words(start: Start) -> None:
    copy = """
    [en]
    "You do not have enough points for this reward yet." = "Not enough stars & such yet."
    "There is nothing at this address." = "Nothing grows here."
    [fr]
    "You do not have enough points for this reward yet." = "Pas encore assez d’étoiles."
    """
    zoe = start(COPY=copy).signed_in("zoe")
    assert redeem(zoe, FIVE_OFF, new_key()).json()["detail"] == "Not enough stars & such yet."
    body, fields = {"rewardId": FIVE_OFF}, {"idempotency_key": new_key(), "accept_language": "fr"}
    reply = zoe.api("POST", "/me/redemptions", body, **fields)
    assert reply.json()["detail"] == "Pas encore assez d’étoiles."
    assert "Nothing grows here." in zoe.get("/no/such/page").text


def test_a_shop_that_counts_in_stars_names_no_points(start: Start) -> None:
    """All texts that name them can be reworded; the vendor's own are not ours."""
    lines = bff({}, "copy", "en", "point").stdout.splitlines()
    parts = [line.partition('" = ') for line in lines[1:]]
    words = [named + between + said.replace("point", "star").replace("Point", "Star") for named, between, said in parts]
    copy = "\n".join([lines[0], *(re.sub(r"%\(stars\)", "%(points)", line) for line in words)])
    service = start(COPY=copy)
    for persona in ("ella", "penny", "zoe", None):
        shopper = service.signed_in(persona) if persona else service.shopper()
        told = {path: shopper.get(path) for path in PAGES}
        assert {path: named for path, page in told.items() if (named := points_on(page))} == {}
    assert "1,240 stars" in service.signed_in("ella").get("/activity").text


def points_on(page: Page) -> list[str]:
    html = re.sub(r"<(bdi|script|head)\b.*?</\1>|<div dir=\"auto\".*?</div>|<[^>]*>", " ", page.reply.text, flags=re.S)
    return re.findall(r"[^.]*\bpoints?\b[^.]*", html, re.I)


@pytest.mark.parametrize("persona", ["ella", "penny", None])
def test_theme_and_words_make_it_another_shop(start: Start, persona: str | None) -> None:
    service = start(THEME=SHOP, COPY=WORDS, BRAND_NAME="Fern & Fog")
    shopper = service.signed_in(persona) if persona else service.shopper()
    for path in PAGES:
        page = shopper.get(path)
        assert flaws_of(page, signed_in=persona is not None) == [], path
        assert "Loyalty" not in page.reply.text
        assert "Rewards" not in {link.text.strip() for link in markup_of(page).all("a")}
        assert "Perks" in {link.text.strip() for link in markup_of(page).all("a")}
    assert "--brand:#3b0d4f" in style_of(shopper, shopper.get("/"))
    if persona is None:
        assert shopper.get("/").heading == "The Fern & Fog Club"
        assert "Come on in" in shopper.get("/").text
