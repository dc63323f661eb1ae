"""No capability is without a page: what JSON tells a member or does for one, a page or a form does, too; else a reason
says why not."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import httpx2
import pytest
from support.enrolment_clients import agree
from support.every_page import TIKTOK
from support.sandbox_catalogue import FIVE_OFF, new_key, redeem
from support.services import ROOT, Service, Vendors
from support.shopper import Shopper

METHODS = {"get", "put", "post", "delete", "patch"}
OPERATIONS = {
    f"{method.upper()} {path.removeprefix('/api/v1')}"
    for path, methods in json.loads((ROOT / "docs/openapi.json").read_text())["paths"].items()
    for method in methods
    if method in METHODS
}
TICKETS = "called by the storefront's server, which is no person"
REASONS: Mapping[str, str] = {
    "POST /session-tickets": TICKETS,
    "POST /session-handles": TICKETS,
    "POST /session": "a token or a ticket is handed in by a storefront; a person signs in at /login",
    "GET /session": "what it tells, every page shows by what it offers: signing in, joining, or neither",
    "DELETE /session": "a form on every page; it ends the session at the shop as well (tests/browser/test_sign_out.py)",
    "POST /me/coupons/{code}/cart": "a form on /coupons for the cart of the shop's cookie (tests/pages/test_carts.py)",
    "DELETE /me/sessions": "a form at /logout/everywhere, as above",
}


class Read(NamedTuple):
    """Where a page shows what the operation tells: the values at these places of its answer."""

    page: str
    values: tuple[str, ...]


READS: Mapping[str, Read] = {
    "GET /program": Read("/", ("earningRules[].name",)),
    "GET /rewards": Read("/rewards", ("rewards[].name", "rewards[].points")),
    "GET /earning-rules": Read("/earn", ("earningRules[].name", "earningRules[].points")),
    "GET /tiers": Read("/tiers", ("tiers[].name", "tiers[].perks[].name", "tiers[].perks[].description")),
    "GET /faqs": Read("/faq", ("faqs[].question", "faqs[].answerHtml")),
    "GET /legal-policies": Read("/join", ("buttonText", "sentenceHtml")),
    "GET /me": Read("/", ("name", "tier", "points.balance")),
    "GET /me/rewards": Read("/rewards", ("rewards[].name", "rewards[].canRedeem.missingPoints")),
    "GET /me/earning-rules": Read("/earn", ("earningRules[].name",)),
    "GET /me/coupons": Read("/coupons", ("coupons[].code", "coupons[].description")),
    "GET /me/activity": Read("/activity", ("activity[].description", "activity[].coupon.code")),
    "GET /me/tier-progress": Read("/tiers", ("tier", "nextTier.name")),
    "GET /me/referrals": Read("/refer", ("url", "count")),
    "GET /me/retailers": Read("/retailers", ("retailers[].retailer.name", "available[].name")),
    "GET /me/redemptions/{key}": Read("/redemptions/{key}", ("reward.name", "coupon.code")),
}
Json: TypeAlias = Callable[[Shopper, str], httpx2.Response]


class Write(NamedTuple):
    """A call of JSON, and the form that does the same. An account at another shop is handed to the call, and put into
    the form's address, where both are about one."""

    by_json: Json
    page: str
    action: str
    fields: Mapping[str, str] = {}
    persona: str = "ella"


WRITES: Mapping[str, Write] = {
    "POST /me/enrolment": Write(lambda one, _: agree(one), "/join", "/join", persona="penny"),
    "POST /me/redemptions": Write(
        lambda one, _: redeem(one, FIVE_OFF, new_key()), f"/rewards/{FIVE_OFF}?again=1", f"/rewards/{FIVE_OFF}"
    ),
    "POST /me/earning-rules/{id}/completions": Write(
        lambda one, _: one.api("POST", f"/me/earning-rules/{TIKTOK.rpartition('/')[2]}/completions"), "/earn", TIKTOK
    ),
    "PUT /me/birthday": Write(
        lambda one, _: one.api("PUT", "/me/birthday", {"day": 29, "month": 2}),
        *("/earn/birthday", "/earn/birthday", {"day": "29", "month": "2"}),
    ),
    "POST /me/referrals": Write(
        lambda one, _: one.api("POST", "/me/referrals", {"email": "one@example.com"}),
        *("/refer", "/refer", {"email": "other@example.com"}),
    ),
    "POST /me/retailers": Write(lambda one, _: one.api("POST", "/me/retailers", {}), "/retailers", "/retailers"),
    "DELETE /me/retailers/{id}": Write(
        lambda one, account: one.api("DELETE", f"/me/retailers/{account}"), "/retailers", "/retailers/{account}/unlink"
    ),
}


def test_every_operation_has_a_page_a_form_or_a_reason() -> None:
    named = [*REASONS, *READS, *WRITES]
    assert len(named) == len(set(named))
    assert set(named) == OPERATIONS


@pytest.mark.parametrize("operation", READS)
def test_a_page_shows_what_the_operation_tells(service: Service, vendors: Vendors, operation: str) -> None:
    is_of_a_member, key = "/me" in operation, new_key()
    shopper = service.signed_in("ella" if is_of_a_member else "penny")
    if is_of_a_member:
        vendors.control("subtotal/link", persona="ella", retailer="target")
        assert redeem(shopper, FIVE_OFF, key).status_code == 201
    path = operation.removeprefix("GET ").replace("{key}", key)
    body = shopper.api("GET", path).json()
    told = {place: [shown(value) for value in values_at(body, place)] for place in READS[operation].values}
    assert any(told.values()), body
    words = shopper.get(READS[operation].page.replace("{key}", key)).text
    assert {place: value for place, values in told.items() for value in values if value not in words} == {}


def values_at(body: Any, place: str) -> Iterator[Any]:
    """All values at `rewards[].name` of an answer; what is absent is left out."""
    name, _, rest = place.partition(".")
    found = body.get(name.removesuffix("[]")) if isinstance(body, dict) else None
    for one in (found or []) if name.endswith("[]") else [found]:
        if rest:
            yield from values_at(one, rest)
        elif one is not None:
            yield one


def shown(value: Any) -> str:
    """As a page in English has it, without its markup."""
    return f"{value:,}" if isinstance(value, int) else " ".join(re.sub("<[^>]*>", " ", str(value)).split())


@pytest.mark.parametrize("operation", WRITES)
def test_a_form_does_what_the_operation_does(service: Service, vendors: Vendors, operation: str) -> None:
    write = WRITES[operation]
    shopper, account = begun(service, vendors, write.persona)
    with_json = changes(vendors, lambda: write.by_json(shopper, account))
    assert with_json != []

    shopper, account = begun(service, vendors, write.persona)
    action = write.action.replace("{account}", account)
    fields = shopper.get(write.page).form(action).fields | dict(write.fields)
    assert changes(vendors, lambda: shopper.post(action, fields, follow=False)) == with_json


def begun(service: Service, vendors: Vendors, persona: str) -> tuple[Shopper, str]:
    """Somebody to whom nothing has happened yet at the vendors, and an account of theirs at another shop."""
    vendors.reset()
    account = vendors.control("subtotal/link", persona=persona, retailer="target")["connection_id"]
    return service.signed_in(persona), str(account)


def changes(vendors: Vendors, act: Callable[[], object]) -> list[tuple[str, str]]:
    """What the vendors were asked to change meanwhile."""
    before = len(vendors.state()["calls"])
    act()
    calls = vendors.state()["calls"][before:]
    return sorted((call["operation"], call["method"]) for call in calls if call["method"] != "GET")
