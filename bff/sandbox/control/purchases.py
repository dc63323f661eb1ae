"""The commands of the control API that play a shopper elsewhere: linking an account, losing it, buying something."""

from datetime import datetime
from decimal import Decimal

from bff.sandbox.control.commands import moment, money, persona, retailer
from bff.sandbox.control.faults import BadCommand
from bff.sandbox.json import JsonObject
from bff.sandbox.subtotal.accounts import STATUSES, Connection, connection_json, purchase_json
from bff.sandbox.world import World


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
    """`{"persona", "retailer", "total", "date"?}`; a retailer that is not linked is linked first."""
    member, shop = persona(world, body), retailer(body)
    total, date = money(body, "total"), moment(body, "date")
    connection = world.accounts.at_retailer(member.shopify_id, shop)
    if connection is None or connection.status != "active":
        connection = world.accounts.link(member.shopify_id, shop, member.email)
    return 202, purchase_json(world.accounts.buy(connection, total, date))


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
