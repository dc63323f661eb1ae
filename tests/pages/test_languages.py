"""Pages speak the shopper's language: by a link, by the choice made before, by what the browser prefers."""

import shutil
from pathlib import Path

import pytest
from support.page_rules import flaws_of, markup_of
from support.sandbox_catalogue import FIVE_OFF
from support.services import ROOT, Service, Start, Vendors
from support.shopper import Page, Shopper

from bff.languages.catalogues import Catalogues
from bff.languages.copy import texts

REWARDS = {"en": "Rewards", "fr": "Récompenses", "de": "Prämien", "es": "Recompensas", "ar": "المكافآت"}
NAMES = ["العربية", "Deutsch", "English", "Español", "Français"]
CHOICE = "__Host-Http-loyalty-language"


def language_of(page: Page) -> str:
    """What the page says of itself, of which all is in one language."""
    (html,) = markup_of(page).all("html")
    (h1,) = markup_of(page).all("h1")
    told = html.attributes["lang"]
    assert page.reply.headers["content-language"] == told
    assert html.attributes["dir"] == ("rtl" if told == "ar" else "ltr")
    assert h1.text.strip() == REWARDS[told]
    return told


def rewards(shopper: Shopper, accept_language: str = "", query: str = "") -> str:
    headers = {"accept-language": accept_language} if accept_language else {}
    return language_of(shopper.get(f"/rewards{query}", headers=headers))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("AR-eg", "ar"),
        ("nl, de;q=0.5, en;q=0.4", "de"),
        ("de;q=0, es;q=0.1", "es"),
        ("de;q=0.2, es;q=0.8", "es"),
        ("*", "en"),
        ("nl", "en"),
        ("fr;q=nonsense, de", "de"),
        ("english", "en"),
        ("x" * 5000, "en"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_likes_best(service: Service, accepted: str, language: str) -> None:
    assert rewards(service.shopper(), accepted) == language


def test_a_link_to_another_language_is_stronger_and_is_remembered(service: Service) -> None:
    shopper = service.shopper()
    assert rewards(shopper, "fr", "?lang=de") == "de"
    assert rewards(shopper, "fr") == "de"
    assert rewards(shopper, "fr", "?lang=es") == "es"
    assert rewards(service.shopper(), "fr") == "fr"


@pytest.mark.parametrize("tag", ["nl", "", "FR%00", "fr;", "x" * 300, "../fr"])
def test_a_link_to_a_language_that_there_is_not_changes_nothing(service: Service, tag: str) -> None:
    shopper = service.shopper()
    page = shopper.get(f"/rewards?lang={tag}", headers={"accept-language": "fr"})
    assert language_of(page) == "fr"
    assert "set-cookie" not in page.reply.headers


def test_a_choice_that_was_planted_or_is_none_counts_for_nothing(service: Service) -> None:
    shopper = service.shopper()
    for planted in (f"{CHOICE}=nl", f"{CHOICE}=de; {CHOICE}=es", f"{CHOICE}="):
        page = shopper.get("/rewards", headers={"accept-language": "fr", "cookie": planted})
        assert language_of(page) == "fr"


def test_A4_the_choice_is_a_cookie_in_the_form_of_all_others_and_only_a_link_sets_it(service: Service) -> None:
    shopper = service.shopper()
    page = shopper.get("/rewards?lang=fr")
    (line,) = page.reply.headers.get_list("set-cookie")
    assert line == f"{CHOICE}=fr; Max-Age=31536000; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert page.reply.headers["cache-control"] == "private, no-store"
    assert "set-cookie" not in shopper.get("/rewards").reply.headers


def test_the_footer_links_to_every_language_in_its_own_name(service: Service) -> None:
    for query in ("", "?lang=ar"):
        page = service.shopper().get(f"/rewards{query}")
        links = [element for element in markup_of(page).all("a") if "hreflang" in element.attributes]
        assert [link.text.strip() for link in links] == NAMES
        for link in links:
            assert link.attributes["lang"] == link.attributes["hreflang"]
            assert link.attributes["href"] == f"?lang={link.attributes['hreflang']}"
            assert rewards(service.shopper(), "", link.attributes["href"]) == link.attributes["lang"]


def test_the_default_language_is_the_merchants(start: Start) -> None:
    service = start(DEFAULT_LANGUAGE="de")
    assert rewards(service.shopper()) == "de"
    assert rewards(service.shopper(), "nl") == "de"
    assert rewards(service.shopper(), "fr") == "fr"


def test_two_members_in_different_languages_read_each_their_own(service: Service) -> None:
    ella, tara = service.signed_in("ella"), service.signed_in("tara")
    for _ in range(2):
        assert rewards(ella, "ar") == "ar"
        assert rewards(tara, "de") == "de"
        assert rewards(ella) == "en"


def test_vendors_texts_are_asked_for_in_the_language_of_the_page(service: Service) -> None:
    for shopper in (service.signed_in("ella"), service.shopper()):
        assert "Livraison gratuite" in shopper.get("/rewards?lang=fr").text
        assert "Kostenloser Versand" in shopper.get("/rewards?lang=de").text
        assert "Livraison gratuite" in shopper.get("/?lang=fr").text


def test_errors_and_refusals_are_in_the_language_of_the_page(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    assert "Cette page n’existe pas" in ella.get("/no/such/page?lang=fr").text
    assert (
        "Bitte prüfe die E-Mail-Adresse."
        in ella.post("/refer", ella.get("/refer?lang=de").form("/refer").fields | {"email": "nonsense"}).text
    )
    nobody = service.shopper()
    assert "This page does not exist" in nobody.get("/no/such/page").text
    assert "هذه الصفحة غير موجودة" in nobody.get("/no/such/page", headers={"accept-language": "ar"}).text
    assert "Esta página no existe" in nobody.get("/no/such/page?lang=es").text
    assert "Esta página no existe" in nobody.get("/no/such/page").text


@pytest.mark.parametrize("tag", ["fr", "de", "es", "ar"])
def test_a_page_that_refuses_speaks_the_language_of_whoever_asks(service: Service, tag: str) -> None:
    words, shopper = Catalogues().words(tag), service.signed_in("ella")
    large = {"csrf": "x" * 20_000}
    csrf = shopper.get("/refer").form("/refer").fields
    pages = [
        (shopper.get(f"/no/such/page?lang={tag}"), 404, "There is nothing at this address."),
        (shopper.get("/problems/no-such-code"), 404, "There is nothing at this address."),
        (shopper.get("/rewards/no-such-reward"), 404, "There is no such reward."),
        (shopper.post("/refer", large), 413, "The body is too large."),
        (shopper.post("/tiers", csrf), 405, "This address does not take that method."),
        (shopper.post("/refer", csrf, headers={"origin": "https://evil.example"}), 403, "This request did not come"),
    ]
    for page, status, english in pages:
        (text,) = {words.text(text) for text in texts() if text.startswith(english)}
        assert page.status == status
        assert f'<html lang="{tag}" dir="{words.direction}">' in page.reply.text, english
        assert page.reply.headers["content-language"] == tag
        assert text in page.text != english
        assert english not in page.text


def test_numbers_money_and_dates_are_written_as_in_the_language(service: Service) -> None:
    for tag, points in {"en": "1,240", "fr": "1\u202f240", "de": "1.240", "es": "1.240", "ar": "1,240"}.items():
        assert points in service.signed_in("ella").get(f"/?lang={tag}").reply.text


def test_a_merchants_catalogue_adds_a_language_and_changes_texts(start: Start, tmp_path: Path) -> None:
    (tmp_path / "nl.po").write_text('msgid "Rewards"\nmsgstr "Beloningen"\n', "utf-8")
    (tmp_path / "de.po").write_text('msgid "Rewards"\nmsgstr "Belohnungen"\n', "utf-8")
    (tmp_path / "en-GB.po").write_text('msgid ""\nmsgstr ""\n"Language: en-GB\\n"\n', "utf-8")
    shopper = start(LOCALE_DIR=str(tmp_path)).shopper()
    assert shopper.get("/rewards?lang=nl").heading == "Beloningen"
    german = shopper.get("/rewards?lang=de")
    assert german.heading == "Belohnungen"
    assert "Sammle Punkte" in german.text
    british = shopper.get(f"/rewards/{FIVE_OFF}", headers={"accept-language": "en-GB", "cookie": ""})
    assert 'lang="en-GB"' in british.reply.text


def test_a_template_that_is_hardly_translated_yet_is_a_catalogue(start: Start, tmp_path: Path) -> None:
    shutil.copy(ROOT / "locales" / "messages.pot", tmp_path / "nl.po")
    path = tmp_path / "nl.po"
    path.write_text(
        path.read_text("utf-8").replace('msgid "Rewards"\nmsgstr ""', 'msgid "Rewards"\nmsgstr "Beloningen"')
    )
    page = start(LOCALE_DIR=str(tmp_path)).shopper().get("/rewards?lang=nl")
    assert page.heading == "Beloningen"
    assert "500 points" in page.text


def test_what_a_catalogue_says_is_words_and_breaks_no_markup(start: Start, tmp_path: Path) -> None:
    said = 'Say "tongue" & <3 > 2'
    for text in ("Language", "Rewards", "See ways to earn"):
        with (tmp_path / "en.po").open("a") as file:
            file.write(f'msgid "{text}"\nmsgstr "{said.replace(chr(34), chr(92) + chr(34))}"\n\n')
    page = start(LOCALE_DIR=str(tmp_path)).shopper().get("/rewards")
    markup = markup_of(page)
    assert flaws_of(page, signed_in=False) == []
    assert page.heading == said
    assert said in {nav.attributes["aria-label"] for nav in markup.all("nav")}
