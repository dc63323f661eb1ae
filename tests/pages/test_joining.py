"""What somebody who has not joined is told that joining brings: reckoned from data, and nothing where a number is not
known."""

from urllib.parse import unquote, urlsplit

import pytest
from support.page_rules import flaws_of, markup_of
from support.sandbox_catalogue import FIVE_OFF
from support.services import Service, Vendors
from support.shopper import Page, Shopper

SUM = "60 waiting + 200 for joining = 260 of 500 points to $5 off your order"


def told_by(page: Page) -> str:
    """The sentence as a bar says it, which is the sentence on the page as well."""
    bars = [bar.attributes for bar in markup_of(page).all("progress")]
    told = next((bar["aria-valuetext"] for bar in bars if "aria-valuetext" in bar), "")
    assert " ".join(told.split()) in " ".join(page.text.split())
    return told


def test_the_sum_is_reckoned_from_what_waits_what_joining_gives_and_the_cheapest_reward(penny: Shopper) -> None:
    waiting = penny.api("GET", "/me").json()["points"]["balance"]
    rules = penny.api("GET", "/earning-rules").json()["earningRules"]
    (gain,) = [rule["points"] for rule in rules if rule["kind"] == "join"]
    cheapest = min(penny.api("GET", "/rewards").json()["rewards"], key=lambda reward: reward["points"])
    assert (waiting, gain, cheapest["points"], cheapest["id"]) == (60, 200, 500, FIVE_OFF)
    for path in ("/", "/join"):
        page = penny.get(path)
        assert told_by(page) == SUM
        (bar,) = markup_of(page).all("progress")
        assert (bar.attributes["max"], bar.attributes["value"]) == ("500", "260")
        assert flaws_of(page, signed_in=True) == []
    assert page.text.index("60 waiting") < page.text.index("Accept terms")


@pytest.mark.parametrize(
    ("balance", "sentence"),
    [
        (0, "200 for joining, of 500 points to $5 off your order"),
        (299, "299 waiting + 200 for joining = 499 of 500 points to $5 off your order"),
        (300, "300 waiting + 200 for joining = 500 points, enough for $5 off your order"),
        (2_000, "2,000 waiting + 200 for joining = 2,200 points, enough for $5 off your order"),
    ],
)
def test_the_sum_says_whether_it_is_enough(service: Service, vendors: Vendors, balance: int, sentence: str) -> None:
    vendors.control("member", persona="penny", balance=balance)
    assert told_by(service.signed_in("penny").get("/")) == sentence


def test_the_sum_is_in_the_language_of_the_page(service: Service) -> None:
    page = service.signed_in("penny").get("/join?lang=ar")
    assert "للانضمام" in told_by(page)
    assert flaws_of(page, signed_in=True) == []


@pytest.mark.parametrize(
    ("operations", "kind"),
    [
        (("customer",), "status:500"),
        (("earning_rules",), "status:500"),
        (("redemption_rules", "customer_redemption_rules"), "status:500"),
    ],
)
def test_no_sum_is_claimed_while_a_part_of_it_cannot_be_read(
    service: Service, vendors: Vendors, operations: tuple[str, ...], kind: str
) -> None:
    # Before they land on the overview, so that nothing of it is cached.
    for operation in operations:
        vendors.fault(operation, kind, times=50)
    penny = service.signed_in("penny")
    for path in ("/", "/join"):
        page = penny.get(path)
        assert "for joining" not in page.reply.text
        assert markup_of(page).all("progress") == []


@pytest.mark.parametrize(("operation", "name"), [("earning_rules", "amount"), ("redemption_rules", "points")])
def test_no_sum_is_claimed_of_numbers_that_the_program_does_not_tell(
    service: Service, vendors: Vendors, operation: str, name: str
) -> None:
    renamed = {"names": {name: "unheardOf"}}
    vendors.control("dialect", **{operation: renamed, f"customer_{operation}": renamed})
    penny = service.signed_in("penny")
    for path in ("/", "/join"):
        assert "for joining" not in penny.get(path).reply.text


def test_who_has_joined_is_told_no_sum(ella: Shopper) -> None:
    for path in ("/", "/join"):
        assert "for joining" not in ella.get(path).reply.text


def test_a_stranger_reads_in_three_steps_how_it_works(shopper: Shopper) -> None:
    page = shopper.get("/")
    words = page.text[page.text.index("How it works") :]
    parts = ("Join the program", "+200 points", "Place an order", "1 point for every $1", "$5 off", "500 points")
    places = [words.index(part) for part in parts]
    assert places == sorted(places)
    assert flaws_of(page, signed_in=False) == []


def test_a_stranger_finds_three_questions_each_with_the_way_to_its_answer(shopper: Shopper) -> None:
    questions = [one["question"] for one in shopper.api("GET", "/faqs").json()["faqs"]][:3]
    page = shopper.get("/")
    links = [link for link in markup_of(page).all("a") if urlsplit(link.attributes["href"]).path == "/faq"]
    deep = {link.text.strip(): link.attributes["href"] for link in links if "#" in link.attributes["href"]}
    assert list(deep) == questions
    answers = {element.attributes.get("id") for element in markup_of(shopper.get("/faq")).elements}
    assert {unquote(urlsplit(href).fragment) for href in deep.values()} <= answers


@pytest.mark.parametrize("operation", ["earning_rules", "redemption_rules", "faqs"])
def test_what_is_away_is_left_out_of_a_strangers_overview(service: Service, vendors: Vendors, operation: str) -> None:
    vendors.fault(operation, "status:500", times=50)
    page = service.shopper().get("/")
    assert page.status == 200
    assert flaws_of(page, signed_in=False) == []
    assert ("How it works" in page.text) is (operation != "earning_rules")
    assert ("We couldn't load the questions" in page.text) is (operation == "faqs")


def test_members_read_no_steps_and_no_questions(ella: Shopper, penny: Shopper) -> None:
    for member in (ella, penny):
        page = member.get("/")
        assert "How it works" not in page.text
        assert not [link for link in page.read.links if link.startswith("/faq#")]
