"""The control API, for tests and demos: look at the vendors' state, break them, move their clock."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff.sandbox.control.commands import Command, address, number, persona
from bff.sandbox.control.faults import BadCommand, read_fault
from bff.sandbox.control.purchases import buy_at_retailer, change_status, link_retailer
from bff.sandbox.control.state import describe, describe_clock, describe_member
from bff.sandbox.json import JsonObject, encode, read_object
from bff.sandbox.okendo.dialect import read_dialect
from bff.sandbox.okendo.members import STATES
from bff.sandbox.operations import NAMES, OPERATIONS
from bff.sandbox.shopify.grants import OTHER_SHOP, THIS_SHOP
from bff.sandbox.world import World

LONGEST_ADVANCE = 10**9
HIGHEST_RATE = 10_000


def reset(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """Back to the beginning: personas, tokens, policies, texts, clock, faults, calls and webhooks; keys stay."""
    world.reset()
    return 200, {"reset": True}


def show_state(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    return 200, describe(world)


def add_fault(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    world.faults.add(read_fault(body, NAMES))
    return 200, {"faults": world.faults.waiting()}


def clear_faults(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    world.faults.clear()
    return 200, {"faults": []}


def change_policies(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"version"?, "html"?}`; the version may be a text or a number, as at the vendor."""
    version, html = body.get("version", world.policies.version), body.get("html", world.policies.html)
    if isinstance(version, bool) or not isinstance(version, str | int | Decimal):
        raise BadCommand("version must be a text or a number")
    if not isinstance(html, str):
        raise BadCommand("html must be a text")
    world.policies.version, world.policies.html = version, html
    return 200, {"version": version, "html": html}


def move_clock(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"advance"?, "rate"?}`: seconds to jump by, and how many seconds pass here in one of real time from now on."""
    if not {"advance", "rate"} & body.keys():
        raise BadCommand("give advance, a number of seconds, or rate, or both")
    seconds, rate = number(body, "advance", 0), number(body, "rate", world.clock.rate)
    if not -LONGEST_ADVANCE < seconds < LONGEST_ADVANCE:
        raise BadCommand(f"advance must be less than {LONGEST_ADVANCE} seconds")
    if not 0 < rate <= HIGHEST_RATE:
        raise BadCommand(f"rate must be above 0 and at most {HIGHEST_RATE}")
    world.clock.run_at(rate)
    world.clock.advance(seconds)
    return 200, describe_clock(world)


def change_texts(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"hostile": true}` makes every text for shoppers an attack that must be escaped."""
    hostile = body.get("hostile")
    if not isinstance(hostile, bool):
        raise BadCommand("hostile must be true or false")
    world.hostile = hostile
    return 200, {"hostile": hostile}


def change_dialect(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"<operation>": {"method"?, "path"?, "names"?, "envelope"?}}`: from now on Okendo speaks so; `{}` undoes it."""
    world.dialect = read_dialect(body, OPERATIONS)
    return 200, {"operations": list(body)}


def give_token(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """A customer token without the browser; with `"shop": "other"` one that this shop's vendors must refuse."""
    member, kind = persona(world, body), body.get("kind", "customer_account")
    shop = {"this": THIS_SHOP, "other": OTHER_SHOP}.get(str(body.get("shop", "this")))
    if shop is None:
        raise BadCommand("shop must be 'this' or 'other'")
    if kind == "storefront":
        return 200, {"token": world.grants.storefront_token(member.persona, shop)}
    if kind != "customer_account":
        raise BadCommand("kind must be 'customer_account' or 'storefront'")
    grant = world.grants.open(world.config.client_id, member.persona, shop)
    return 200, {"token": world.grants.issue(grant).access_token}


def change_member(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"persona", "state"?, "limits"?}`: the merchant blocks a member, unblocks them, or puts them into any state, and
    says how often they may redeem which rewards: `{"<redemption rule>": 1}`."""
    member = persona(world, body)
    state, limits = body.get("state", member.state), body.get("limits", {})
    if state not in STATES:
        raise BadCommand(f"state must be one of {', '.join(STATES)}")
    if not isinstance(limits, dict) or not all(type(limit) is int and limit >= 0 for limit in limits.values()):
        raise BadCommand("limits must be whole numbers from 0 by redemption rule")
    member.limits |= limits
    member.set_state(str(state), world.clock.now())
    return 200, describe_member(world, member)


def change_webhooks(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"subtotal"?, "okendo"?, "simulated"?}`: where webhooks go until the next reset; null means nowhere."""
    destinations = world.destinations
    simulated = body.get("simulated", destinations.simulated)
    if not isinstance(simulated, bool):
        raise BadCommand("simulated must be true or false")
    subtotal_url = address(body, "subtotal", destinations.subtotal_url)
    okendo_url = address(body, "okendo", destinations.okendo_url)
    destinations.subtotal_url, destinations.okendo_url, destinations.simulated = subtotal_url, okendo_url, simulated
    return 200, {"subtotal": subtotal_url or None, "okendo": okendo_url or None, "simulated": simulated}


def routes(world: World) -> list[Route]:
    return [
        Route("/_control/reset", _endpoint(world, reset), methods=["POST"]),
        Route("/_control/state", _endpoint(world, show_state), methods=["GET"]),
        Route("/_control/faults", _endpoint(world, add_fault), methods=["POST"]),
        Route("/_control/faults", _endpoint(world, clear_faults), methods=["DELETE"]),
        Route("/_control/policies", _endpoint(world, change_policies), methods=["POST"]),
        Route("/_control/clock", _endpoint(world, move_clock), methods=["POST"]),
        Route("/_control/texts", _endpoint(world, change_texts), methods=["POST"]),
        Route("/_control/dialect", _endpoint(world, change_dialect), methods=["POST"]),
        Route("/_control/token", _endpoint(world, give_token), methods=["POST"]),
        Route("/_control/member", _endpoint(world, change_member), methods=["POST"]),
        Route("/_control/webhooks", _endpoint(world, change_webhooks), methods=["POST"]),
        Route("/_control/subtotal/link", _endpoint(world, link_retailer), methods=["POST"]),
        Route("/_control/subtotal/purchase", _endpoint(world, buy_at_retailer), methods=["POST"]),
        Route("/_control/subtotal/status", _endpoint(world, change_status), methods=["POST"]),
    ]


def _endpoint(world: World, command: Command) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for one command; what does not make sense is answered 400 with the remedy."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            status, result = command(world, _object(body))
        except BadCommand as error:
            status, result = 400, {"error": str(error)}
        world.publish_events()
        return Response(encode(result), status, media_type="application/json")

    return endpoint


def _object(body: bytes) -> JsonObject:
    value = read_object(body or b"{}")
    if value is None:
        raise BadCommand("the body must be a JSON object")
    return value
