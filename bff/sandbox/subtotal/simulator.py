"""Subtotal's own simulator: connections and purchases of nobody, announced to those who accept simulated events.

Follows subtotal.com/docs/event-simulator and .../api-reference/simulated-connections.
"""

import secrets
from datetime import timedelta
from decimal import Decimal

from starlette.responses import Response

from bff.sandbox.calls import Call, Operation, answer
from bff.sandbox.subtotal.accounts import Connection, connection_json, purchase_json
from bff.sandbox.subtotal.server_api import optional_text, problem, refused, text, with_key
from bff.sandbox.world import World

MOST_PURCHASES = 4
LONGEST_AGO_DAYS = 90


def create(world: World, call: Call) -> Response:
    """A connection that is active at once; its one to four earlier purchases have no events."""
    body = call.json() or {}
    include_purchases = body.get("include_purchases", True)
    if not isinstance(include_purchases, bool):
        message = "Input should be a valid boolean"
        raise refused(world, 422, [problem("body", "include_purchases", message, "bool_type")])
    begun = Connection(
        world.accounts.ulid(),
        text(world, body, "customer_id", 64),
        text(world, body, "retailer_id", 26),
        email=optional_text(world, body, "email", 64),
        mobile=optional_text(world, body, "mobile", 16),
        is_simulated=True,
    )
    connection = world.accounts.set_status(begun, "active")
    for _ in range(1 + secrets.randbelow(MOST_PURCHASES) if include_purchases else 0):
        days_ago = timedelta(days=1 + secrets.randbelow(LONGEST_AGO_DAYS))
        world.accounts.add_purchase(connection, _some_total(), world.clock.now() - days_ago)
    return answer(world, connection_json(connection), 201)


def buy(world: World, call: Call) -> Response:
    """One purchase, made now."""
    purchase = world.accounts.buy(_found(world, call), _some_total())
    return answer(world, purchase_json(purchase), 201)


def change(world: World, call: Call) -> Response:
    """Active or unauthenticated, announced also if it was so before."""
    connection, status = _found(world, call), (call.json() or {}).get("status")
    if status not in ("active", "unauthenticated"):
        message = "Input should be 'active' or 'unauthenticated'"
        raise refused(world, 422, [problem("body", "status", message, "enum")])
    return answer(world, connection_json(world.accounts.set_status(connection, str(status))))


def _found(world: World, call: Call) -> Connection:
    connection = world.accounts.connections.get(call.path_value("connection_id"))
    if connection is None or not connection.is_simulated:
        raise refused(world, 404, "Simulated connection not found.")
    return connection


def _some_total() -> Decimal:
    return Decimal(500 + secrets.randbelow(10_000)) / 100


_ONE = "/simulated-connections/{connection_id}"
OPERATIONS = tuple(
    Operation("subtotal", "subtotal_simulator", method, (path,), with_key(handle))
    for method, path, handle in (
        ("POST", "/simulated-connections", create),
        ("POST", f"{_ONE}/purchases", buy),
        ("PATCH", _ONE, change),
    )
)
