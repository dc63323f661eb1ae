"""The commands of the control API that play a shopper elsewhere: linking an account, losing it, buying something."""

from datetime import datetime
from decimal import Decimal

from bff.sandbox.control.commands import moment, money, number, persona, retailer
from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import JsonObject
from bff.sandbox.subtotal.accounts import STATUSES, Connection, Item, connection_json, purchase_json
from bff.sandbox.world import World

PLANS = ("all_purchases", "full_basket", "brand_products")


def link_retailer(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"persona", "retailer", "purchases"?: [{"total", "date"?}]}`: first the account's event, then theirs."""
    member, history = persona(world, body), _history(body)
    connection = world.accounts.link(member.shopify_id, retailer(body), member.email)
    for total, date in history:
        world.accounts.buy(connection, total, date)
    return 201, connection_json(connection)


def _history(body: JsonObject) -> list[tuple[Decimal, datetime | None]]:
    lines = body.get("purchases", [])
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise BadCommand("purchases must be a list of objects with total and date")
    return [(money(line, "total"), moment(line, "date")) for line in lines]


def buy_at_retailer(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"persona", "retailer", "total", "date"?, "items"?: [{"name"?, "price", "quantity"?, "brand"?, "upc"?}]}`; a
    retailer that is not linked is linked first."""
    member, shop = persona(world, body), retailer(body)
    total, date = money(body, "total"), moment(body, "date")
    connection = world.accounts.at_retailer(member.shopify_id, shop)
    if connection is None or connection.status != "active":
        connection = world.accounts.link(member.shopify_id, shop, member.email)
    return 202, purchase_json(world.accounts.buy(connection, total, date, _items(body)))


def _items(body: JsonObject) -> tuple[Item, ...]:
    lines = body.get("items", [])
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise BadCommand("items must be a list of objects with price")
    return tuple(
        Item(
            name=str(line.get("name", "Something")),
            price=money(line, "price"),
            quantity=int(number(line, "quantity", 1)),
            brand=str(line.get("brand", "")),
            upc=str(line.get("upc", "")),
        )
        for line in lines
    )


def change_plan(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"access"}`: what the plan collects from now on: all_purchases, full_basket or brand_products."""
    access = body.get("access")
    if access not in PLANS:
        raise BadCommand(f"access must be one of {', '.join(PLANS)}")
    world.accounts.purchase_access = str(access)
    return 200, {"access": access}


def change_status(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"persona", "retailer", "status"}`: announced also if it was so before; `initialized` never is."""
    status = body.get("status")
    if status not in STATUSES:
        raise BadCommand(f"status must be one of {', '.join(STATUSES)}")
    return 200, connection_json(world.accounts.set_status(_linked(world, body), str(status)))


def _linked(world: World, body: JsonObject) -> Connection:
    member, shop = persona(world, body), retailer(body)
    connection = world.accounts.at_retailer(member.shopify_id, shop)
    if connection is None:
        raise BadCommand(f"{member.persona} has no account at {shop}: link it first with /_control/subtotal/link")
    return connection
