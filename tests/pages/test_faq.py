"""Questions and answers: each at an address of its own, and a search that needs no script."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from support.fixed_vendor import fixed_vendor
from support.page_rules import flaws_of, markup_of
from support.services import Start, Vendors
from support.shopper import Page, Shopper


def ids_of(page: Page) -> list[str]:
    return [
        one.attributes["id"] for one in markup_of(page).all("div") if one.attributes.get("id", "").startswith("faq")
    ]


def test_every_question_has_an_address_that_stays(shopper: Shopper) -> None:
    page = shopper.get("/faq")
    assert ids_of(page) == [
        "faq-how-do-i-earn-points",
        "faq-when-do-points-from-an-order-arrive",
        "faq-do-points-expire",
        "faq-how-do-i-use-a-reward",
    ]
    assert [f"#{name}" in page.read.links for name in ids_of(page)] == [True] * 4
    assert ids_of(shopper.get("/faq?q=expire")) == ["faq-do-points-expire"]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ("points", 3),
        ("POINTS pending", 1),
        ("follow us", 1),
        ("strong", 0),
        ("zebra", 0),
        ("", 4),
        ("   ", 4),
        ("<script>", 0),
        ("\N{PARTY POPPER}", 0),
        ("a" * 5000, 0),
    ],
)
def test_a_search_finds_every_word_in_questions_and_answers(shopper: Shopper, sought: str, found: int) -> None:
    page = shopper.get(f"/faq?q={quote(sought)}")
    assert (page.status, len(ids_of(page))) == (200, found)
    assert flaws_of(page, signed_in=False) == []
    answers = [one.attributes for one in markup_of(page).all("details") if one.attributes.get("class") == "card"]
    assert len(answers) == found
    assert all(("open" in one) is bool(sought.strip()) for one in answers)
    if not found:
        assert "Show all questions" in page.text


def test_what_was_sought_stays_in_the_field_and_is_only_words(shopper: Shopper) -> None:
    page = shopper.get("/faq?q=" + quote('"><b onload=x>points'))
    (field,) = [one for one in markup_of(page).all("input") if one.attributes["name"] == "q"]
    assert field.attributes["value"] == '"><b onload=x>points'
    assert markup_of(page).all("b") == []


def test_questions_that_are_worded_alike_or_in_another_script_have_addresses_of_their_own(start: Start) -> None:
    faqs = [{"question": question, "answer": "So."} for question in ("Why?", "Why!", "???", "هل تنتهي النقاط؟", "!")]
    with fixed_vendor(json.dumps({"faqs": faqs}).encode()) as okendo:
        page = start(OKENDO_API_URL=okendo).shopper().get("/faq")
    assert ids_of(page) == ["faq-why", "faq-why-2", "faq-", "faq-هل-تنتهي-النقاط", "faq--2"]
    assert flaws_of(page, signed_in=False) == []


def test_a_program_without_questions_says_so(start: Start) -> None:
    with fixed_vendor(b'{"faqs": []}') as okendo:
        page = start(OKENDO_API_URL=okendo).shopper().get("/faq")
    assert (page.status, "No questions have been answered yet" in page.text) == (200, True)


def test_P4_without_okendo_the_page_says_so_and_a_copy_is_shown_where_there_is_one(
    start: Start, vendors: Vendors
) -> None:
    shopper = start().shopper()
    vendors.fault("faqs", "status:500", times=2)
    assert "We couldn't load the questions." in shopper.get("/faq").text
    vendors.http.delete(f"{vendors.url}/_control/faults")


def test_members_read_the_same(ella: Shopper, penny: Shopper, shopper: Shopper) -> None:
    assert ids_of(ella.get("/faq")) == ids_of(penny.get("/faq")) == ids_of(shopper.get("/faq"))


def structured(page: Page) -> list[Any]:
    scripts = [one for one in markup_of(page).all("script") if one.attributes["type"] == "application/ld+json"]
    return [json.loads(script.text) for script in scripts]


def test_search_engines_are_told_the_same_where_the_merchant_wants_it(start: Start) -> None:
    shopper = start(STRUCTURED_DATA="on").shopper()
    page = shopper.get("/faq")
    (told,) = structured(page)
    assert told["@type"] == "FAQPage"
    assert [one["name"] for one in told["mainEntity"]][2] == "Do points expire?"
    assert "After one year" in told["mainEntity"][2]["acceptedAnswer"]["text"]
    assert structured(shopper.get("/faq?q=points")) == []
    assert flaws_of(page, signed_in=False) == []


def test_search_engines_are_told_nothing_of_themselves(shopper: Shopper) -> None:
    assert structured(shopper.get("/faq")) == []


def test_I1_structured_data_ends_nowhere_early(start: Start) -> None:
    attack = {"question": "Why? </script><script>alert(1)</script>", "answer": "</script><b>x"}
    with fixed_vendor(json.dumps({"faqs": [attack]}).encode()) as okendo:
        page = start(OKENDO_API_URL=okendo, STRUCTURED_DATA="on").shopper().get("/faq")
    assert flaws_of(page, signed_in=False) == []
    assert len(structured(page)) == 1
