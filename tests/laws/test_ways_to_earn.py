"""A law over ways to earn: each has something to click or a reason why not, whoever looks and whatever kind it is."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.fixed_vendor import fixed_vendor
from support.services import Service, Start
from support.shopper import Shopper

from bff.schemas.program import KINDS

JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9.x"
# Words of Okendo's, words that it may use, and words that nobody has heard of.
ACTIONS = (
    *KINDS, *KINDS.values(), "birthday", "custom", "social-share", "social_like", "review-media", "order-first",
    "visit-store", "scan-a-receipt", "x",
)  # fmt: skip
ADDRESSES: tuple[dict[str, str], ...] = ({}, {"url": "https://social.example/our-shop"})
DONE: tuple[dict[str, bool], ...] = ({}, {"isCompleted": False}, {"isCompleted": True})
RULES = [
    {"id": f"rule-{number}", "action": action, "type": "fixed-amount", "title": f"Way {number}", "amount": 5, **more}
    for number, (action, more) in enumerate(
        (action, {**address, **done}) for action in ACTIONS for address in ADDRESSES for done in DONE
    )
]
ROW = re.compile(r'<li class="wraps">(.*?)</li>', re.DOTALL)
STATES = ("stranger", "pending", "enrolled")


@contextmanager
def looking(start: Start, state: str, rules: list[Any], **settings: str) -> Iterator[Shopper]:
    """Somebody in this state, of a program with these ways to earn."""
    customer = {"status": state, "points": {"balance": 60}, "token": JWT, "rules": rules}
    with fixed_vendor(json.dumps(customer).encode()) as okendo:
        service: Service = start(OKENDO_API_URL=okendo, **settings)
        yield service.shopper() if state == "stranger" else service.signed_in("zoe")


@pytest.mark.parametrize("state", STATES)
def test_every_way_to_earn_has_an_action_or_a_reason(start: Start, state: str) -> None:
    with looking(start, state, RULES) as shopper:
        page = shopper.get("/earn")
        rows = ROW.findall(page.reply.text)
        assert (page.status, len(rows)) == (200, len(RULES))
        assert [row for row in rows if not has_action(row) and not has_reason(row)] == []


@pytest.mark.parametrize("state", STATES)
def test_every_way_to_earn_has_a_page_of_its_own_that_says_the_same(start: Start, state: str) -> None:
    with looking(start, state, RULES[::5]) as shopper:
        for rule in RULES[::5]:
            page = shopper.get(f"/earn/{rule['id']}")
            assert (page.status, page.heading) == (200, rule["title"])
            about = page.reply.text.partition("<article")[2].partition("</article>")[0]
            assert 'class="button' in about or "You have done this" in about or len(re.findall("<p>", about)) > 0, rule


def has_action(row: str) -> bool:
    """A button, or a link besides the name, which leads only to more of the same."""
    return "<button" in row or 'class="button' in row


def has_reason(row: str) -> bool:
    return any(words.strip() for words in re.findall(r'class="hint[^"]*">(.*?)</', row.replace("\n", " ")))


@pytest.mark.parametrize("state", STATES)
def test_what_is_done_by_a_click_is_offered_to_members_alone(start: Start, state: str) -> None:
    rule = {"id": "r", "action": "social-follow", "type": "fixed-amount", "title": "Follow us", "amount": 5}
    with looking(start, state, [rule]) as shopper:
        offered = "/earn/r" in [form.action for form in shopper.get("/earn").read.forms]
    assert offered is (state == "enrolled")


def test_a_rule_of_the_table_of_actions_leads_to_the_linked_shops(start: Start) -> None:
    rules = [
        {"id": name, "action": "custom", "type": "fixed-amount", "title": name, "amount": 5}
        for name in ("link", "buy", "other")
    ]
    table = "".join(
        f'[[actions]]\nevent = "{event}"\nname = "{name}"\nearning_rule_id = "{name}"\nstart_date = 2026-01-01\n'
        for event, name in (("account.linked", "link"), ("purchase.created", "buy"))
    )
    with looking(start, "enrolled", rules, SUBTOTAL_ACTIONS=table) as shopper:
        rows = dict(zip(("link", "buy", "other"), ROW.findall(shopper.get("/earn").reply.text), strict=True))
    assert [name for name, row in rows.items() if 'href="/retailers"' in row] == ["link", "buy"]
    assert "The shop adds this by itself" in rows["other"]
