"""The control API, for tests and demos: look at the vendors' state, break them, move their clock."""

import dataclasses
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import authorize, dialect, merchant, okendo, okendo_member, shopify, subtotal
from .clock import iso
from .faults import BadOrder, ordered
from .grants import OTHER_SHOP, THIS_SHOP
from .members import Member
from .wire import Json, JsonObject, encode, read_object
from .world import World

OPERATIONS = (
    *shopify.OPERATIONS, *authorize.OPERATIONS, *okendo.OPERATIONS, *okendo_member.OPERATIONS,
    *merchant.OPERATIONS, *subtotal.OPERATIONS,
)  # fmt: skip
NAMES = tuple(dict.fromkeys(operation.name for operation in OPERATIONS))

Order = Callable[[World, JsonObject], tuple[int, JsonObject]]


def reset(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """Back to the beginning: personas, tokens, policies, texts, clock, faults and calls; keys stay."""
    world.reset()
    return 200, {"reset": True}


def state(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """Members with the effects counted at the vendor, and every call of a vendor operation, oldest first."""
    return 200, {
        "members": {persona: _member(world, member) for persona, member in world.members.items()},
        "calls": [vars(call) for call in world.calls],
        "policies": {"version": world.policies.version},
        "clock": _clock(world),
        "faults": world.faults.waiting(),
        "subtotal": {
            "connections": [dataclasses.asdict(one) for one in world.retail.connections.values()],
            "purchases": [subtotal.purchase_json(one) for one in world.retail.purchases.values()],
            "events": world.retail.events,
        },
    }


def _member(world: World, member: Member) -> JsonObject:
    birthday = member.birthday and {"day": member.birthday[0], "month": member.birthday[1]}
    return {
        "state": member.state,
        "balance": member.balance,
        **dataclasses.asdict(member.effects),
        "birthday": birthday,
        "customerId": member.shopify_id,
        "email": member.email,
        "referralSenderId": member.referral_sender_id,
        "loyaltyCustomerId": member.uuid("loyalty"),
        "storefrontToken": world.grants.storefront_token(member.persona),
    }


def _clock(world: World) -> JsonObject:
    return {"now": iso(world.clock.now()), "offsetSeconds": world.clock.offset_seconds}


def order_fault(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    world.faults.add(ordered(body, NAMES))
    return 200, {"faults": world.faults.waiting()}


def clear_faults(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    world.faults.clear()
    return 200, {"faults": []}


def change_policies(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"version"?, "html"?}`; the version may be a text or a number, as at the vendor."""
    version, html = body.get("version", world.policies.version), body.get("html", world.policies.html)
    if isinstance(version, bool) or not isinstance(version, str | int | Decimal):
        raise BadOrder("version must be a text or a number")
    if not isinstance(html, str):
        raise BadOrder("html must be a text")
    world.policies.version, world.policies.html = version, html
    return 200, {"version": version, "html": html}


def move_clock(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    seconds = body.get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | Decimal) or not -(10**9) < seconds < 10**9:
        raise BadOrder("advance must be a number of seconds")
    world.clock.advance(float(seconds))
    return 200, _clock(world)


def change_texts(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"hostile": true}` makes every text for shoppers an attack that must be escaped."""
    hostile = body.get("hostile")
    if not isinstance(hostile, bool):
        raise BadOrder("hostile must be true or false")
    world.hostile = hostile
    return 200, {"hostile": hostile}


def change_dialect(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"<operation>": {"method"?, "path"?, "names"?, "envelope"?}}`: from now on Okendo speaks so; `{}` undoes it."""
    world.dialect = dialect.ordered(body, OPERATIONS)
    return 200, {"operations": list(body)}


def give_token(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """A customer token without the browser; with `"shop": "other"` one that this shop's vendors must refuse."""
    member, kind = _persona(world, body), body.get("kind", "customer_account")
    shop = {"this": THIS_SHOP, "other": OTHER_SHOP}.get(str(body.get("shop", "this")))
    if shop is None:
        raise BadOrder("shop must be 'this' or 'other'")
    if kind == "storefront":
        return 200, {"token": world.grants.storefront_token(member.persona, shop)}
    if kind != "customer_account":
        raise BadOrder("kind must be 'customer_account' or 'storefront'")
    grant = world.grants.open(world.config.client_id, member.persona, shop)
    return 200, {"token": world.grants.issue(grant).access_token}


def link_retailer(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    member, retailer = _persona(world, body), _retailer(body)
    connection = world.retail.link(member.shopify_id, retailer, member.email)
    return 201, dataclasses.asdict(connection)


def buy_at_retailer(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """Store a purchase, linking the retailer first when it is not linked. Nobody is told of it: 202."""
    member, retailer, total = _persona(world, body), _retailer(body), _money(body.get("total"))
    linked = (one for one in world.retail.of_customer(member.shopify_id) if one.retailer_id == retailer)
    connection = next((one for one in linked if one.status == "active"), None)
    connection = connection or world.retail.link(member.shopify_id, retailer, member.email)
    return 202, subtotal.purchase_json(world.retail.buy(connection, total))


def _persona(world: World, body: JsonObject) -> Member:
    member = world.members.get(str(body.get("persona")))
    if member is None:
        raise BadOrder(f"unknown persona {body.get('persona')!r}; one of {', '.join(world.members)}")
    return member


def _retailer(body: JsonObject) -> str:
    retailer = body.get("retailer")
    if not isinstance(retailer, str) or not 1 <= len(retailer) <= 26:
        raise BadOrder("retailer must be a text of 1 to 26 characters, such as 'walmart'")
    return retailer


def _money(value: Json) -> Decimal:
    """A JSON number or a decimal text, in whole cents."""
    try:
        total = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
        if total is not None and 0 < total < 10**9 and total == total.quantize(Decimal("0.01")):
            return total
    except InvalidOperation:
        pass
    raise BadOrder("total must be an amount of money above zero with at most two decimals")


def routes(world: World) -> list[Route]:
    return [
        Route("/_control/reset", _obeying(world, reset), methods=["POST"]),
        Route("/_control/state", _obeying(world, state), methods=["GET"]),
        Route("/_control/faults", _obeying(world, order_fault), methods=["POST"]),
        Route("/_control/faults", _obeying(world, clear_faults), methods=["DELETE"]),
        Route("/_control/policies", _obeying(world, change_policies), methods=["POST"]),
        Route("/_control/clock", _obeying(world, move_clock), methods=["POST"]),
        Route("/_control/texts", _obeying(world, change_texts), methods=["POST"]),
        Route("/_control/dialect", _obeying(world, change_dialect), methods=["POST"]),
        Route("/_control/token", _obeying(world, give_token), methods=["POST"]),
        Route("/_control/subtotal/link", _obeying(world, link_retailer), methods=["POST"]),
        Route("/_control/subtotal/purchase", _obeying(world, buy_at_retailer), methods=["POST"]),
    ]


def _obeying(world: World, order: Order) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for one order; what does not make sense is answered 400 with the remedy."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            status, result = order(world, _object(body))
        except BadOrder as error:
            status, result = 400, {"error": str(error)}
        return Response(encode(result), status, media_type="application/json")

    return endpoint


def _object(body: bytes) -> JsonObject:
    value = read_object(body or b"{}")
    if value is None:
        raise BadOrder("the body must be a JSON object")
    return value
