"""Languages: an answer is in the one asked for where Okendo takes one, and does not say that it is when it is not."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest
import redis
from support.sandbox_catalogue import code_of
from support.services import Service, Start, Vendors
from support.shopper import Shopper

from bff.languages.catalogues import Catalogues
from bff.program.catalogue import MAX_LOCALISED
from bff.settings.locales import COUNTRIES, CURRENCIES, LANGUAGES

# What Okendo documents no language for, until somebody tells its name.
ASKED_BY_FILE = ("earning_rules", "vip_program", "faqs", "legal_policies", "customer_earning_rules")
OVERRIDES = "".join(f'[{name}]\nsends = {{ language = "languageCode" }}\n' for name in ASKED_BY_FILE)
UNLOCALISED = ["/earning-rules", "/tiers", "/faqs", "/legal-policies"]
# A text of each path in each language of the sandbox's merchant.
WORDS: Mapping[str, Mapping[str, str]] = {
    "/earning-rules": {"en": "Place an order", "fr": "Passer une commande", "de": "Etwas bestellen", "ar": "إجراء طلب"},
    "/rewards": {"en": "Free shipping", "fr": "Livraison gratuite", "de": "Kostenloser Versand", "ar": "شحن مجاني"},
    "/tiers": {"en": "Birthday gift", "fr": "Cadeau d'anniversaire", "de": "Geburtstags", "ar": "هدية عيد ميلاد"},
    "/faqs": {
        "en": "Do points expire?", "fr": "Les points expirent-ils ?", "de": "Verfallen Punkte?",
        "ar": "هل تنتهي صلاحية النقاط؟",
    },
    "/legal-policies": {
        "en": "program terms", "fr": "conditions du programme", "de": "Programmbedingungen", "ar": "شروط البرنامج",
    },
}  # fmt: skip


@pytest.fixture
def speaking(start: Start, tmp_path: Path) -> Service:
    """A service that has been told how Okendo is asked for a language everywhere."""
    file = tmp_path / "languages.toml"
    file.write_text(OVERRIDES, "utf-8")
    return start(OKENDO_OVERRIDES=str(file))


def language_of(reply: httpx2.Response) -> str | None:
    assert reply.status_code == 200, reply.text
    return reply.headers.get("content-language")


def varies_by_language(reply: httpx2.Response) -> bool:
    return "accept-language" in reply.headers.get("vary", "").lower()


# As shipped: Okendo documents a language for rewards alone -----------------------------------------------------------


@pytest.mark.parametrize("path", UNLOCALISED)
def test_what_takes_no_language_is_not_said_to_be_in_one(service: Service, vendors: Vendors, path: str) -> None:
    shopper = service.shopper()
    plain, french = shopper.api("GET", path), shopper.api("GET", f"{path}?locale=fr&country=CA&currency=CAD")
    assert (language_of(french), french.content, french.headers["etag"]) == (None, plain.content, plain.headers["etag"])
    assert not varies_by_language(french), "caches would keep the same bytes once for each browser's languages"
    assert {call["query"] for call in vendors.state()["calls"]} == {""}
    assert len(vendors.state()["calls"]) == 1


def test_what_is_only_partly_in_a_language_is_not_said_to_be_in_it(service: Service, ella: Shopper) -> None:
    reply = service.shopper().api("GET", "/program?locale=fr")
    assert "Livraison gratuite" in reply.text
    assert "Place an order" in reply.text
    assert language_of(reply) is None
    assert varies_by_language(reply)
    assert language_of(ella.api("GET", "/me?include=rewards&locale=fr")) == "fr"
    assert language_of(ella.api("GET", "/me?include=rewards,coupons&locale=fr")) is None


@pytest.mark.parametrize("path", ["/rewards", "/me/rewards"])
@pytest.mark.parametrize("language", ["en", "fr", "de", "ar"])
def test_rewards_are_in_the_language_that_was_asked_for(ella: Shopper, path: str, language: str) -> None:
    for reply in (ella.api("GET", f"{path}?locale={language}"), ella.api("GET", path, accept_language=language)):
        assert (language_of(reply), varies_by_language(reply)) == (language, True)
        assert WORDS["/rewards"][language] in [reward["name"] for reward in reply.json()["rewards"]]


def test_a_merchant_who_tells_the_stores_language_has_it_said(start: Start) -> None:
    ella = start(DEFAULT_LANGUAGE="en").signed_in("ella")
    assert {language_of(ella.api("GET", f"{path}?locale=fr")) for path in [*UNLOCALISED, "/me/earning-rules"]} == {"en"}
    assert language_of(ella.api("GET", "/program")) == "en"
    # One part is in French, the others are not.
    assert language_of(ella.api("GET", "/program?locale=fr")) is None


# Corrected: Okendo is asked for a language everywhere ----------------------------------------------------------------


@pytest.mark.parametrize("path", WORDS)
def test_every_public_answer_is_in_the_language_that_was_asked_for(speaking: Service, path: str) -> None:
    shopper, bytes_of = speaking.shopper(), dict[str, bytes]()
    for language, words in WORDS[path].items():
        reply = shopper.api("GET", f"{path}?locale={language}")
        assert words in reply.text.replace("\\u0027", "'"), language
        assert (language_of(reply), varies_by_language(reply)) == (language, True)
        assert language_of(shopper.api("GET", path, accept_language=f"{language}-AT, xx;q=0.9")) == language
        bytes_of[language] = reply.content
    assert len(set(bytes_of.values())) == 4
    # Each once more, now that all are cached: no copy of one is served as another.
    for language, content in bytes_of.items():
        assert shopper.api("GET", f"{path}?locale={language}").content == content
        assert shopper.api("GET", path, accept_language=language).content == content


def test_J4_no_copy_of_one_language_is_another_processs_copy_of_another(
    speaking: Service, start: Start, urls: list[str], tmp_path: Path
) -> None:
    first = {one: speaking.shopper().api("GET", f"/faqs?locale={one}").content for one in ("fr", "de")}
    plain = start(PUBLIC_URL=urls[1], PORT=urls[1].rpartition(":")[2]).shopper()
    assert plain.api("GET", "/faqs?locale=fr").content not in first.values()


def test_the_whole_program_is_in_one_language_when_every_part_is(speaking: Service) -> None:
    reply = speaking.shopper().api("GET", "/program?locale=de")
    assert language_of(reply) == "de"
    assert all(WORDS[path]["de"] in reply.text for path in ("/earning-rules", "/rewards", "/tiers"))
    ella = speaking.signed_in("ella")
    mine = ella.api("GET", "/me/earning-rules?locale=de")
    assert (language_of(mine), varies_by_language(mine)) == ("de", True)
    assert WORDS["/earning-rules"]["de"] in mine.text
    assert language_of(ella.api("GET", "/me?include=rewards,earningRules&locale=de")) == "de"


def test_a_copy_that_is_still_good_is_so_in_its_own_language_alone(speaking: Service) -> None:
    shopper = speaking.shopper()
    french = shopper.api("GET", "/faqs?locale=fr")
    again = shopper.api("GET", "/faqs?locale=fr", if_none_match=french.headers["etag"])
    assert (again.status_code, again.headers["content-language"]) == (304, "fr")
    assert varies_by_language(again)
    german = shopper.api("GET", "/faqs?locale=de", if_none_match=french.headers["etag"])
    assert german.status_code == 200


# What Okendo has no words in -----------------------------------------------------------------------------------------


def test_a_language_that_okendo_falls_back_from_is_told_where_okendo_tells_it(
    service: Service, vendors: Vendors
) -> None:
    shopper = service.shopper()
    vendors.control("languages", told=True)
    swahili = shopper.api("GET", "/rewards?locale=sw")
    assert language_of(swahili) == "en"
    assert "Free shipping" in swahili.text
    assert language_of(shopper.api("GET", "/rewards?locale=fr")) == "fr"
    assert language_of(shopper.api("GET", "/faqs?locale=fr")) == "en"


# What may be asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["locale=xx", "locale=qq-FR", "locale=en-XX", "country=zz", "currency=ABC"])
@pytest.mark.parametrize("path", [*WORDS, "/program"])
def test_H5_a_language_country_or_currency_that_there_is_not_is_refused(
    shopper: Shopper, vendors: Vendors, path: str, query: str
) -> None:
    reply = shopper.api("GET", f"{path}?{query}")
    assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert vendors.state()["calls"] == []


def test_a_browser_that_prefers_no_language_there_is_is_asked_no_better(shopper: Shopper, vendors: Vendors) -> None:
    assert language_of(shopper.api("GET", "/rewards", accept_language="xx, qq;q=0.9")) is None
    assert language_of(shopper.api("GET", "/rewards", accept_language="xx, de;q=0.9")) == "de"


def test_the_codes_that_there_are_have_their_form() -> None:
    assert all(code.isascii() and code.islower() and len(code) in {2, 3} for code in LANGUAGES)
    assert all(code.isascii() and code.islower() and len(code) == 2 for code in COUNTRIES)
    assert all(code.isascii() and code.isupper() and len(code) == 3 for code in CURRENCIES)
    assert (len(COUNTRIES), len(LANGUAGES) > 180, len(CURRENCIES) > 150) == (252, True, True)


def test_J2_made_up_locales_fill_no_cache(speaking: Service, vendors: Vendors, stores: Mapping[str, str]) -> None:
    """More languages than may be kept: each question for a path is one of as many as there are kept at most."""
    shopper = speaking.shopper()
    for language in sorted(LANGUAGES)[: MAX_LOCALISED + 20]:
        shopper.api("GET", f"/faqs?locale={language}")
    with redis.Redis.from_url(stores["VALKEY_URL"]) as valkey:
        assert len(list(valkey.scan_iter("copy:*"))) <= MAX_LOCALISED + 20
    for made_up in ("xx", "zz", "qq", "qa"):
        assert shopper.api("GET", f"/faqs?locale={made_up}").status_code == 400
    asked = [parse_qs(call["query"])["languageCode"][0] for call in vendors.calls("faqs")]
    assert set(asked) <= LANGUAGES


# Our own sentences ---------------------------------------------------------------------------------------------------


def test_a_problem_says_which_language_its_sentences_are_in(shopper: Shopper) -> None:
    for path in ("/me", "/rewards?locale=nonsense", "/nowhere"):
        reply = shopper.api("GET", path, accept_language="fr")
        assert (reply.headers["content-type"], reply.headers["content-language"]) == ("application/problem+json", "fr")


# Our own sentences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language", "sentence"),
    [
        ("", "en", "Please sign in first."),
        ("fr-CA", "fr", "Connectez-vous d’abord."),
        ("de, en;q=0.5", "de", "Bitte melde dich zuerst an."),
        ("ar", "ar", "يُرجى تسجيل الدخول أولًا."),
        ("nl", "en", "Please sign in first."),
    ],
)
def test_a_problems_sentence_follows_accept_language_and_its_code_does_not(
    service: Service, accepted: str, language: str, sentence: str
) -> None:
    headers = {"accept_language": accepted} if accepted else {}
    # Twice: what is ready the second time is ready in each language of its own.
    for _ in range(2):
        reply = service.shopper().api("GET", "/me", **headers)
        assert (reply.status_code, code_of(reply)) == (401, "session_required")
        assert (reply.json()["detail"], reply.headers["content-language"]) == (sentence, language)
        assert varies_by_language(reply)


def test_a_problem_with_values_has_them_in_every_language(service: Service) -> None:
    reply = service.shopper().api("GET", "/rewards?country=xx", accept_language="fr")
    assert reply.json()["detail"] == "Le paramètre de requête country est mal formé ou ne désigne rien d’existant."


def test_a_language_that_a_page_was_chosen_in_does_not_change_the_api(service: Service) -> None:
    shopper = service.shopper()
    shopper.get("/?lang=de")
    assert shopper.api("GET", "/me").json()["detail"] == "Please sign in first."


LARGE = {"content": b"{" + b" " * 20_000 + b"}"}
# Requests that are refused before a route sees them, and by a route, with their status.
REFUSED: list[tuple[str, str, dict[str, str], dict[str, bytes], int]] = [
    ("GET", "/api/v1/nowhere", {}, {}, 404),
    ("GET", "/api/v1/rewards?unknown=1", {}, {}, 400),
    ("GET", "/api/v1/me", {"sec-fetch-dest": "image"}, {}, 403),
    ("DELETE", "/api/v1/rewards", {"x-loyalty-csrf": "1", "content-type": "application/json"}, {}, 405),
    ("POST", "/api/v1/session", {"x-loyalty-csrf": "1", "content-type": "application/json"}, LARGE, 413),
    ("POST", "/api/v1/session", {"x-loyalty-csrf": "1", "content-type": "text/plain"}, {"content": b"{}"}, 415),
    ("POST", "/api/v1/session", {"x-loyalty-csrf": "1", "content-type": "application/json"}, {"content": b"{"}, 400),
    ("GET", "/nowhere", {"accept": "application/json"}, {}, 404),
]


@pytest.mark.parametrize("tag", ["fr", "de", "es", "ar"])
def test_every_refusal_has_its_title_and_sentence_in_the_language_that_was_asked_for(
    service: Service, shopper: Shopper, tag: str
) -> None:
    words = Catalogues().words(tag)
    for method, path, headers, more, status in REFUSED:
        named = {"origin": service.url, **headers}
        english = shopper.request(method, path, headers=named, **more)
        spoken = shopper.request(method, path, headers=named | {"accept-language": tag}, **more)
        assert (english.status_code, spoken.status_code) == (status, status), path
        assert (english.headers["content-language"], spoken.headers["content-language"]) == ("en", tag)
        assert varies_by_language(spoken)
        for name in ("title", "detail"):
            assert spoken.json()[name] == words.text(english.json()[name]) != english.json()[name], (path, name)
        assert spoken.json()["code"] == english.json()["code"]
    assert shopper.api("GET", "/me", accept_language=tag).json()["title"] == words.text("Session required")
