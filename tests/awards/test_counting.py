"""What an action pays of a purchase: the whole of it, or what the brand's own items came to."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.concurrency import until
from support.enrolment_clients import Rows
from support.processes import bff
from support.services import Service, Start, Vendors, Work
from support.subtotal_events import BUYING, FAST, RATE, awards_of, bought, connection_of, deliver, has_awards

from bff.awards.counting import counted
from bff.awards.pay import NeedsReview
from bff.errors import SettingsError
from bff.settings.actions import read_actions
from bff.vendors.subtotal.replies import read_purchase

OWN = {"name": "Cleanser", "brand": "Fern & Fog", "upc": "0012345678905"}
BREAD = {"name": "Bread", "brand": "Baker's", "upc": "0099999999990"}
ACTION = f"""
[[actions]]
event = "purchase.created"
name = "Our products elsewhere"
earning_rule_id = "{BUYING}"
start_date = 2026-01-01
counts = "items"
"""
BY_BRAND = ACTION + 'brands = ["fern &  FOG"]\n'
BY_UPC = ACTION + 'upcs = ["12345678905"]\n'
BY_BOTH = ACTION + 'brands = ["Fern & Fog"]\nupcs = ["12345678905"]\n'
TOTAL = ACTION.replace('counts = "items"', 'counts = "total"')


def item(price: Any, quantity: Any = 1, product: Any = OWN, **more: Any) -> dict[str, Any]:
    return {"item_id": "i", "price": price, "quantity": quantity, "product": product, **more}


def basket(total: str, *items: Any, **more: Any) -> dict[str, Any]:
    return {"purchase_id": "P", "date": "2026-11-03", "total": total, "items": list(items), **more}


# A purchase, and what is paid of it.
PAID: dict[str, tuple[dict[str, Any], str]] = {
    "two own items in a basket of 60": (basket("60.00", item("8.00"), item("8.00"), item("44.00", 1, BREAD)), "16.00"),
    "two pieces of one item": (basket("60.00", item("8.00", 2), item("44.00", 1, BREAD)), "16.00"),
    "half a pound": (basket("9.00", item("8.00", "0.5"), item("5.00", 1, BREAD)), "4.00"),
    "three times a third, to the cent below": (basket("9.00", item("3.333", 1), item("5", 1, BREAD)), "3.33"),
    "decimals stay exact": (basket("1.00", *(item("0.10") for _ in range(3)), item("0.70", 1, BREAD)), "0.30"),
    "a discount on the line": (basket("60.00", item("8.00", 2, discount="3.50"), item("47.50", 1, BREAD)), "12.50"),
    "a discount larger than its line": (basket("60.00", item("8.00", 1, discount="9"), item("1", 1, OWN)), "1.00"),
    "a discount on the basket": (
        basket("54.00", item("8.00", 2), item("44.00", 1, BREAD), subtotal="54.00"), "14.40",
    ),
    "more than its items came to": (
        basket("90.00", item("8.00", 2), item("44.00", 1, BREAD), subtotal="80.00"), "16.00",
    ),
    "tax is not paid": (basket("66.00", item("8.00", 2), item("44.00", 1, BREAD), subtotal="60.00"), "16.00"),
    "never more than the whole": (basket("10.00", item("8.00", 2), item("44.00", 1, BREAD)), "10.00"),
    "fruit has no brand": (basket("60.00", item("8.00"), item("2.00", 1, {"name": "Bananas"})), "8.00"),
    "another form of the number": (basket("60.00", item(8, 1, {"brand": "x", "upc": "012345678905"})), "8.00"),
    "the older form": (basket("60.00", {"price": "8.00", "quantity": 1, **OWN}), "8.00"),
}  # fmt: skip


@pytest.mark.parametrize("what", PAID)
def test_what_the_own_items_came_to_is_paid(what: str) -> None:
    purchase, value = PAID[what]
    (action,) = read_actions(BY_BOTH)
    read = read_purchase(json.loads(json.dumps(purchase), parse_float=Decimal))
    assert read is not None
    assert counted(action, read) == Decimal(value)


@pytest.mark.parametrize("actions", [BY_BRAND, BY_UPC])
def test_either_name_is_enough_and_what_is_none_of_the_brands_pays_nothing(actions: str) -> None:
    (action,) = read_actions(actions)
    own, other = read_purchase(basket("60.00", item("8.00"))), read_purchase(basket("60.00", item("8", 1, BREAD)))
    assert own
    assert other
    assert counted(action, own) == Decimal("8.00")
    assert counted(action, other) is None


UNCLEAR = {
    "no items": basket("60.00"),
    "no list": basket("60.00") | {"items": "many"},
    "items without names": basket("60.00", item("8.00", 1, {}), item("8.00", 1, None)),
    "no price": basket("60.00", item(None)),
    "a price that is none": basket("60.00", item("free")),
    "no quantity": basket("60.00", item("8.00", "several")),
    "a quantity below zero": basket("60.00", item("8.00", -1)),
    "a discount that is none": basket("60.00", item("8.00", 1, discount="some")),
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_what_cannot_be_told_is_left_to_a_person_and_never_paid_as_a_basket(what: str) -> None:
    (action,) = read_actions(BY_BRAND)
    read = read_purchase(UNCLEAR[what])
    assert read is not None
    with pytest.raises(NeedsReview):
        counted(action, read)


REFUSED = {
    ACTION: "name the items",
    TOTAL + 'brands = ["x"]': 'counts = "items"',
    ACTION.replace('"items"', '"basket"'): "total",
    ACTION + "brands = []": "brands",
    ACTION + 'brands = "x"': "brands",
    ACTION + "upcs = [12345678905]": "upcs",
    ACTION + 'upcs = ["12"]': "upcs",
    BY_BRAND.replace("purchase.created", "account.linked"): "only purchases",
}


@pytest.mark.parametrize("table", REFUSED)
def test_N1_a_table_that_says_only_half_of_it_ends_the_boot(table: str) -> None:
    with pytest.raises(SettingsError, match=REFUSED[table]):
        read_actions(table)


# Through the front door ---------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(start: Start, work: Work, vendors: Vendors) -> Callable[[str], Service]:
    def elsewhere(actions: str) -> Service:
        vendors.control("clock", rate=RATE)
        more = {**FAST, "SUBTOTAL_ACTIONS": actions}
        work(**more)
        return start(**more)

    return elsewhere


def test_a_basket_of_60_with_two_own_items_at_8_pays_for_16(
    elsewhere: Callable[[str], Service], vendors: Vendors
) -> None:
    service = elsewhere(BY_BRAND)
    items = [item("8.00"), item("8.00"), item("44.00", 1, BREAD)]
    assert deliver(service, bought(connection_of(vendors, "ella"), "60.00", items=items)).status_code == 204
    until(has_awards(vendors, "ella", 1))
    assert [award["value"] for award in awards_of(vendors, "ella")] == [16]


def test_items_that_an_event_leaves_out_are_asked_for(
    elsewhere: Callable[[str], Service], vendors: Vendors, rows: Rows
) -> None:
    service = elsewhere(BY_BRAND)
    line = {"price": "8.00", "quantity": 2, "brand": "Fern & Fog"}
    found = vendors.control("subtotal/purchase", persona="ella", retailer="walmart", total="60.00", items=[line])
    known = vendors.state()["subtotal"]["connections"][0]
    purchase = {"purchase_id": found["purchase_id"], "date": found["date"]}
    event = bought(known, "60.00", **purchase)
    assert "items" not in event["payload"]["purchase"]
    assert deliver(service, event).status_code == 204
    until(has_awards(vendors, "ella", 1))
    assert [award["value"] for award in awards_of(vendors, "ella")] == [16]


def test_a_basket_without_items_waits_for_a_person(
    elsewhere: Callable[[str], Service], vendors: Vendors, rows: Rows, settings: dict[str, str]
) -> None:
    service = elsewhere(BY_BRAND)
    vendors.fault("subtotal_purchases", "status:404", times=9)
    connection = connection_of(vendors, "ella")
    assert deliver(service, bought(connection, "60.00", items=[item("8.00", 1, {})])).status_code == 204
    until(lambda: rows.execute("SELECT state FROM webhook_events").fetchall() == [("needs_review",)])
    assert rows.execute("SELECT reason FROM webhook_events").fetchall() == [
        ("tells neither brand nor UPC of its items",)
    ]
    assert awards_of(vendors, "ella") == []


@pytest.mark.parametrize("access", ["full_basket", "all_purchases", "brand_products"])
def test_the_doctor_compares_the_plan_with_what_is_paid(
    settings: dict[str, str], vendors: Vendors, access: str
) -> None:
    vendors.control("subtotal/plan", access=access)
    on_totals = bff(settings | {"SUBTOTAL_ACTIONS": TOTAL}, "doctor").stdout
    assert ("pays the total of every purchase" in on_totals) is (access != "brand_products")
    assert "pays the total" not in bff(settings | {"SUBTOTAL_ACTIONS": BY_BRAND}, "doctor").stdout
