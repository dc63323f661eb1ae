"""The pretended Subtotal API: connections to retailers, their purchases, and link tokens.

Follows subtotal.com/docs/api-reference. Refusals are FastAPI's: 422 with a list under `detail`, else a sentence.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace

from starlette.responses import Response

from bff.sandbox.calls import Call, Handler, Operation, Refused, answer
from bff.sandbox.clock import iso
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.subtotal.accounts import Connection, LinkToken, connection_json, purchase_json
from bff.sandbox.world import World


def refused(world: World, status: int, detail: Json) -> Refused:
    return Refused(answer(world, {"detail": detail}, status))


def with_key(handle: Handler) -> Handler:
    """Every call carries `X-Api-Key`."""

    def checked(world: World, call: Call) -> Response:
        if not hmac.compare_digest(call.header("x-api-key").encode(), world.config.subtotal_api_key.encode()):
            raise refused(world, 401, "Invalid API key.")
        return handle(world, call)

    return checked


def create_connection(world: World, call: Call) -> Response:
    body = call.json() or {}
    customer_id = text(world, body, "customer_id", 64)
    retailer_id = text(world, body, "retailer_id", 26)
    email, mobile = optional_text(world, body, "email", 64), optional_text(world, body, "mobile", 16)
    return answer(world, connection_json(world.accounts.connect(customer_id, retailer_id, email, mobile)), 201)


def list_connections(world: World, call: Call) -> Response:
    customer_id = text(world, call.query, "customer_id", 64)
    return answer(world, {"connections": [connection_json(one) for one in world.accounts.of_customer(customer_id)]})


def read_connection(world: World, call: Call) -> Response:
    return answer(world, connection_json(_found(world, call)))


def change_connection(world: World, call: Call) -> Response:
    """The fields of this call are not public; those of creation are taken."""
    connection, body = _found(world, call), call.json() or {}
    limits = {"customer_id": 64, "email": 64, "mobile": 16}
    changes = {name: text(world, body, name, limit) for name, limit in limits.items() if name in body}
    changed = replace(
        connection,
        customer_id=changes.get("customer_id", connection.customer_id),
        email=changes.get("email", connection.email),
        mobile=changes.get("mobile", connection.mobile),
    )
    return answer(world, connection_json(world.accounts.save(changed)))


def delete_connection(world: World, call: Call) -> Response:
    del world.accounts.connections[_found(world, call).connection_id]
    return Response(status_code=204)


def create_connection_token(world: World, call: Call) -> Response:
    connection, scope = _found(world, call), (call.json() or {}).get("scope")
    if scope not in ("link", "access"):
        raise refused(world, 422, [problem("body", "scope", "Input should be 'link' or 'access'", "enum")])
    now = int(world.clock.seconds())
    jwt = world.signer.okendo_jwt({"sub": connection.connection_id, "scope": scope, "iat": now, "exp": now + 900})
    token = world.accounts.connection_token(connection.connection_id, str(scope), jwt)
    return answer(world, {"connection_token": token}, 201)


def read_account(world: World, call: Call) -> Response:
    return answer(world, {"plan": {"name": "Growth", "purchase_access": world.accounts.purchase_access}})


def list_purchases(world: World, call: Call) -> Response:
    """Newest first, `limit` at a time, after the purchase `starting_after`."""
    connection_id = _accessed(world, call)
    limit = call.query.get("limit", "10")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 50):
        raise refused(world, 422, [problem("query", "limit", "Input should be from 1 to 50", "less_than_equal")])
    of_connection = (one for one in world.accounts.purchases.values() if one.connection_id == connection_id)
    made = sorted(of_connection, key=lambda one: one.date)
    made.reverse()
    after = call.query.get("starting_after")
    ids = [one.purchase_id for one in made]
    start = ids.index(after) + 1 if after in ids else 0
    shown = made[start : start + int(limit)]
    lines = [{"purchase_id": one.purchase_id, "date": iso(one.date), "total": f"{one.total:.2f}"} for one in shown]
    return answer(world, {"has_more": start + len(shown) < len(made), "purchases": lines})


def read_purchase(world: World, call: Call) -> Response:
    connection_id = _accessed(world, call)
    purchase = world.accounts.purchases.get(call.path_value("purchase_id"))
    if purchase is None or purchase.connection_id != connection_id:
        raise refused(world, 404, "Purchase not found.")
    return answer(world, purchase_json(purchase))


def create_link_token(world: World, call: Call) -> Response:
    """The same idempotency key with the same request gives the same token."""
    body = call.json() or {}
    customer_id, email = text(world, body, "customer_id", 64), optional_text(world, body, "email", 64)
    days = body.get("expires_in_days", 30)
    if type(days) is not int or not 1 <= days <= 365:
        raise refused(world, 422, [problem("body", "expires_in_days", "Input should be from 1 to 365", "int_type")])
    key = call.header("x-subtotal-idempotency-key")
    request, token = world.accounts.idempotent.get(key, (b"", None))
    if token is None or request != call.body:
        token = world.accounts.link_token(customer_id, email, days)
    if key:
        world.accounts.idempotent.setdefault(key, (call.body, token))
    return answer(world, {**_link_token(world, token), "link_token": token.text}, 201)


def list_link_tokens(world: World, call: Call) -> Response:
    """What is known of each token, never the token."""
    customer_id, status = text(world, call.query, "customer_id", 64), call.query.get("status")
    lines = [_link_token(world, one) for one in world.accounts.link_tokens.values() if one.customer_id == customer_id]
    return answer(world, {"link_tokens": [line for line in lines if status in (None, line["status"])]})


def revoke_link_token(world: World, call: Call) -> Response:
    token = world.accounts.link_tokens.get(call.path_value("link_token"))
    if token is None:
        raise refused(world, 404, "Link token not found.")
    token.revoked_at = token.revoked_at or world.clock.now()
    return Response(status_code=204)


def _link_token(world: World, token: LinkToken) -> dict[str, Json]:
    return {
        "customer_id": token.customer_id,
        "status": token.status(world.clock.now()),
        "created_at": iso(token.created_at),
        "expires_at": iso(token.expires_at),
        "revoked_at": iso(token.revoked_at) if token.revoked_at else None,
    }


def _found(world: World, call: Call) -> Connection:
    connection = world.accounts.connections.get(call.path_value("connection_id"))
    if connection is None:
        raise refused(world, 404, "Connection not found.")
    return connection


def _accessed(world: World, call: Call) -> str:
    connection_id = world.accounts.connection_with_access(call.credentials("bearer"))
    if connection_id is None:
        raise refused(world, 401, "A connection token with the access scope is required.")
    return connection_id


def text(world: World, values: Mapping[str, Json], name: str, limit: int) -> str:
    value = values.get(name)
    if value is None:
        raise refused(world, 422, [problem("body", name, "Field required", "missing")])
    if not isinstance(value, str) or len(value) > limit:
        raise refused(world, 422, [problem("body", name, f"At most {limit} characters", "string_too_long")])
    return value


def optional_text(world: World, values: Mapping[str, Json], name: str, limit: int) -> str | None:
    return None if values.get(name) is None else text(world, values, name, limit)


def problem(place: str, name: str, message: str, kind: str) -> JsonObject:
    return {"loc": [place, name], "msg": message, "type": kind}


_ONE = "/connections/{connection_id}"
OPERATIONS = tuple(
    Operation("subtotal", name, method, (path,), with_key(handle))
    for name, method, path, handle in (
        ("subtotal_connections", "POST", "/connections", create_connection),
        ("subtotal_connections", "GET", "/connections", list_connections),
        ("subtotal_connections", "GET", _ONE, read_connection),
        ("subtotal_connections", "PATCH", _ONE, change_connection),
        ("subtotal_connections", "DELETE", _ONE, delete_connection),
        ("subtotal_connections", "POST", f"{_ONE}/token", create_connection_token),
        ("subtotal_account", "GET", "/account", read_account),
        ("subtotal_purchases", "GET", "/purchases", list_purchases),
        ("subtotal_purchases", "GET", "/purchases/{purchase_id}", read_purchase),
        ("subtotal_link_tokens", "POST", "/link-tokens", create_link_token),
        ("subtotal_link_tokens", "GET", "/link-tokens", list_link_tokens),
        ("subtotal_link_tokens", "DELETE", "/link-tokens/{link_token}", revoke_link_token),
    )
)
