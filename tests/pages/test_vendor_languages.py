"""Vendors' words on a page in another language say which they are in, where that is known (WCAG 2.2 §3.1.2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from api.test_languages import OVERRIDES
from support.page_rules import flaws_of, markup_of
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

PATHS = ("/", "/earn", "/rewards", "/tiers", "/faq", "/activity", "/join")
# In English, of what takes no language as Okendo documents it; and where they stand.
UNTOLD = {
    "/": ("Place an order",),
    "/earn": ("Place an order", "Leave a review"),
    "/tiers": ("Birthday gift", "Shop sales one day before everyone else."),
    "/faq": ("Do points expire?",),
}


def tagged(page: Page) -> set[tuple[str, str]]:
    """Words in elements that name a language, which is of these words, and their language. The links to the page's
    other languages name theirs."""
    elements = [one for one in markup_of(page).elements if "hreflang" not in one.attributes and one.tag != "html"]
    return {(" ".join(one.text.split()), one.attributes["lang"]) for one in elements if "lang" in one.attributes}


def untagged(page: Page) -> set[str]:
    return {" ".join(one.text.split()) for one in markup_of(page).all("bdi") if "lang" not in one.attributes}


def who(service: Service) -> Iterator[Shopper]:
    yield from (service.shopper(), service.signed_in("ella"), service.signed_in("penny"))


def test_what_is_known_to_be_in_the_shops_language_says_so_on_a_page_in_another(start: Start) -> None:
    for shopper in who(start(DEFAULT_LANGUAGE="en")):
        for path, texts in UNTOLD.items():
            page = shopper.get(f"{path}?lang=fr")
            for text in texts:
                assert (text, "en") in tagged(page), (path, text)
                assert text not in untagged(page), (path, text)
            assert {language for _, language in tagged(page)} == {"en"}
            assert flaws_of(page, signed_in=shopper.session_cookie is not None) == []


def test_lines_of_the_history_are_in_the_shops_language(start: Start) -> None:
    ella = start(DEFAULT_LANGUAGE="en").signed_in("ella")
    told = {line["description"] for line in ella.api("GET", "/me/activity?limit=3").json()["activity"]}
    for path in ("/", "/activity"):
        page = ella.get(f"{path}?lang=fr")
        assert {(text, "en") for text in told} <= tagged(page)
        assert told & untagged(page) == set()


def test_what_was_asked_for_in_the_language_of_the_page_names_none(start: Start) -> None:
    for shopper in who(start(DEFAULT_LANGUAGE="en")):
        page = shopper.get("/rewards?lang=fr")
        assert "Livraison gratuite" in untagged(page)
        assert "Livraison gratuite" not in {text for text, _ in tagged(page)}


@pytest.mark.parametrize(("default", "language"), [("", "fr"), ("", "en"), ("en", "en"), ("fr", "fr")])
def test_nothing_is_said_of_a_language_that_is_not_known_or_is_the_pages_own(
    start: Start, default: str, language: str
) -> None:
    service = start(DEFAULT_LANGUAGE=default)
    for shopper in who(service):
        for path in PATHS:
            assert tagged(shopper.get(f"{path}?lang={language}")) == set(), path


def test_what_okendo_says_of_its_own_answer_counts_more(start: Start, vendors: Vendors) -> None:
    vendors.control("languages", told=True)
    shopper = start(DEFAULT_LANGUAGE="de").shopper()
    for path, texts in UNTOLD.items():
        assert {(text, "en") for text in texts} <= tagged(shopper.get(f"{path}?lang=fr")), path
        assert tagged(shopper.get(f"{path}?lang=en")) == set(), path


def test_whoever_asks_okendo_for_every_language_has_nothing_to_name(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "languages.toml"
    file.write_text(OVERRIDES, "utf-8")
    shopper = start(OKENDO_OVERRIDES=str(file), DEFAULT_LANGUAGE="en").shopper()
    page = shopper.get("/faq?lang=fr")
    assert "Les points expirent-ils ?" in untagged(page)
    assert tagged(page) == set()


def test_the_words_that_are_agreed_to_run_in_their_own_direction(service: Service) -> None:
    """English in an Arabic page would have its full stops in front."""
    page = service.signed_in("penny").get("/join?lang=ar")
    (sentence,) = [one for one in markup_of(page).all("div") if one.attributes.get("id") == "policy"]
    (button,) = [one for one in markup_of(page).all("button") if one.attributes.get("aria-describedby") == "policy"]
    assert (sentence.attributes["dir"], button.attributes["dir"]) == ("auto", "auto")
