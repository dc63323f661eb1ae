"""The control API, for tests and demos: look at the vendors' state, break them, move their clock."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bff.sandbox.control.carts import change_discount, fill_cart
from bff.sandbox.control.commands import Command, address, number, persona
from bff.sandbox.control.faults import BadCommand, read_fault
from bff.sandbox.control.privacy import ask_for_privacy
from bff.sandbox.control.purchases import buy_at_retailer, change_plan, change_status, link_retailer
from bff.sandbox.control.state import describe, describe_clock, describe_member
from bff.sandbox.control.texts import change_policies, change_texts, change_words, tell_language, tell_tiers
from bff.sandbox.json import JsonObject, encode, read_object
from bff.sandbox.okendo.dialect import read_dialect
from bff.sandbox.okendo.members import STATES
from bff.sandbox.okendo.program import TIERS, EarningRule, Reward
from bff.sandbox.operations import NAMES, OPERATIONS
from bff.sandbox.shopify.grants import OTHER_SHOP, THIS_SHOP
from bff.sandbox.world import World

LONGEST_ADVANCE = 10**9
HIGHEST_RATE = 10_000
MOST_LINES = 10_000
MOST_DAYS = 10_000
RuleT = TypeVar("RuleT", EarningRule, Reward)


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


def change_dialect(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"<operation>": {"method"?, "path"?, "names"?, "envelope"?}}`: from now on Okendo speaks so; `{}` undoes it."""
    world.dialect = read_dialect(body, OPERATIONS)
    return 200, {"operations": list(body)}


def change_ids(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"<id of a rule>": "<another id>"}`: from now on the rule or reward is known under that one alone."""
    if not all(isinstance(new, str) and new for new in body.values()):
        raise BadCommand("give another id, a text, by the id of an earning rule or a reward")
    world.earning_rules = _renamed(world.earning_rules, body)
    world.rewards = _renamed(world.rewards, body)
    for member in world.members.values():
        member.completed = {str(body.get(rule, rule)) for rule in member.completed}
    return 200, {"earningRules": list(world.earning_rules), "rewards": list(world.rewards)}


def _renamed(rules: Mapping[str, RuleT], ids: JsonObject) -> dict[str, RuleT]:
    renamed = (dataclasses.replace(rule, id=str(ids.get(rule.id, rule.id))) for rule in rules.values())
    return {rule.id: rule for rule in renamed}


def bend_pages(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"circle": 2}`: from now on Okendo's lists lead in circles of so many pages, behind their first one: with 1 the
    second page names itself as the next, with 2 the third names the second. 0 undoes it. `{"dead_end": true}`: the
    address of the next page holds nothing by which that could be asked for."""
    circle, dead_end = number(body, "circle", 0 if "dead_end" in body else -1), body.get("dead_end", False)
    if not isinstance(dead_end, bool):
        raise BadCommand("dead_end must be true or false")
    if circle not in range(MOST_LINES):
        raise BadCommand("circle must be a number of pages, 0 for none")
    world.circle, world.dead_end = int(circle), dead_end
    return 200, {"circle": world.circle, "dead_end": dead_end}


def add_history(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"persona", "lines"?, "invitations"?, "days"?}`: so many transactions of no points, and so many invited friends,
    are added to a member's history, now or so many days ago, as a shopper of many years has them."""
    member, days = persona(world, body), number(body, "days", 0)
    lines, invitations = number(body, "lines", 0), number(body, "invitations", 0)
    if not 1 <= lines + invitations <= MOST_LINES or min(lines, invitations) < 0 or not 0 <= days <= MOST_DAYS:
        raise BadCommand(f"lines and invitations must be from 1 to {MOST_LINES}, days from 0 to {MOST_DAYS}")
    when = world.clock.now() - timedelta(days=days)
    member.remember(int(lines), when)
    member.remember_invitations(int(invitations), when)
    return 200, {"lines": len(member.history), "invitations": len(member.referrals)}


def change_history_order(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"reversed"}`: whether the histories of transactions come in the other order than is asked for from now on."""
    is_reversed = body.get("reversed")
    if not isinstance(is_reversed, bool):
        raise BadCommand("reversed must be true or false")
    world.history_reversed = is_reversed
    return 200, {"reversed": is_reversed}


def deny_fields(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"fields": ["emailAddress"], "all"?}`: Shopify's GraphQL denies these fields of a customer from now on; with
    `all` it answers no data at all where one of them is asked for."""
    fields, everything = body.get("fields"), body.get("all", False)
    if not isinstance(fields, list) or not all(isinstance(name, str) and name.isidentifier() for name in fields):
        raise BadCommand("fields must be a list of field names")
    if not isinstance(everything, bool):
        raise BadCommand("all must be true or false")
    world.denied_fields, world.denies_all = tuple(map(str, fields)), everything
    return 200, {"fields": fields, "all": everything}


def renew_key(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"kid"}`: from now on Shopify signs ID tokens with a new key of this name, in the place of one that has it, else
    beside the others. Shopify names them by position, so the same name is likely."""
    kid = body.get("kid")
    if not isinstance(kid, str) or not kid:
        raise BadCommand("kid must be the name of a key, such as id_0")
    world.signer.renew(kid)
    return 200, world.signer.jwks()


def remember_browsers(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"remembers"}`: whether Shopify keeps a session of its own in the browser from now on, as it does in reality, so
    that whoever comes to sign in again is not asked who they are until they sign out there."""
    remembers = body.get("remembers")
    if not isinstance(remembers, bool):
        raise BadCommand("remembers must be true or false")
    world.browser_sessions.remembers = remembers
    return 200, {"remembers": remembers}


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
    """`{"persona", "state"?, "refused"?, "limits"?, "balance"?, "tier"?}`: the merchant blocks a member, unblocks
    them, or puts them into any state; a blocked one is refused every call, or with `"refused": false` only told so in
    their state. Also how often they may redeem which rewards: `{"<redemption rule>": 1}`, how many points they have,
    and the tier that they reach now."""
    member = persona(world, body)
    state, limits = body.get("state", member.state), body.get("limits", {})
    if state not in STATES:
        raise BadCommand(f"state must be one of {', '.join(STATES)}")
    if not isinstance(limits, dict) or not all(type(limit) is int and limit >= 0 for limit in limits.values()):
        raise BadCommand("limits must be whole numbers from 0 by redemption rule")
    is_refused = body.get("refused", member.is_refused)
    if not isinstance(is_refused, bool):
        raise BadCommand("refused must be true or false")
    if (tier := body.get("tier")) not in {None, *(known.name for known in TIERS)}:
        raise BadCommand("tier must be one of the program's")
    member.limits |= limits
    member.is_refused = is_refused
    member.balance = int(number(body, "balance", member.balance))
    member.set_state(str(state), world.clock.now())
    if tier is not None and member.enrolled_at:
        member.reach(str(tier), world.clock.now())
    return 200, describe_member(world, member)


def change_webhooks(world: World, body: JsonObject) -> tuple[int, JsonObject]:
    """`{"subtotal"?, "okendo"?, "shopify"?, "simulated"?}`: where webhooks go until the next reset; null is nowhere."""
    destinations = world.destinations
    simulated = body.get("simulated", destinations.simulated)
    if not isinstance(simulated, bool):
        raise BadCommand("simulated must be true or false")
    subtotal_url = address(body, "subtotal", destinations.subtotal_url)
    okendo_url = address(body, "okendo", destinations.okendo_url)
    shopify_url = address(body, "shopify", destinations.shopify_url)
    destinations.subtotal_url, destinations.okendo_url, destinations.simulated = subtotal_url, okendo_url, simulated
    destinations.shopify_url = shopify_url
    urls = {"subtotal": subtotal_url, "okendo": okendo_url, "shopify": shopify_url}
    return 200, {name: url or None for name, url in urls.items()} | {"simulated": simulated}


def routes(world: World) -> list[Route]:
    return [
        Route("/_control/reset", _endpoint(world, reset), methods=["POST"]),
        Route("/_control/state", _endpoint(world, show_state), methods=["GET"]),
        Route("/_control/faults", _endpoint(world, add_fault), methods=["POST"]),
        Route("/_control/faults", _endpoint(world, clear_faults), methods=["DELETE"]),
        Route("/_control/policies", _endpoint(world, change_policies), methods=["POST"]),
        Route("/_control/clock", _endpoint(world, move_clock), methods=["POST"]),
        Route("/_control/texts", _endpoint(world, change_texts), methods=["POST"]),
        Route("/_control/languages", _endpoint(world, tell_language), methods=["POST"]),
        Route("/_control/tiers", _endpoint(world, tell_tiers), methods=["POST"]),
        Route("/_control/words", _endpoint(world, change_words), methods=["POST"]),
        Route("/_control/dialect", _endpoint(world, change_dialect), methods=["POST"]),
        Route("/_control/pages", _endpoint(world, bend_pages), methods=["POST"]),
        Route("/_control/history", _endpoint(world, add_history), methods=["POST"]),
        Route("/_control/history/order", _endpoint(world, change_history_order), methods=["POST"]),
        Route("/_control/denied", _endpoint(world, deny_fields), methods=["POST"]),
        Route("/_control/keys", _endpoint(world, renew_key), methods=["POST"]),
        Route("/_control/browsers", _endpoint(world, remember_browsers), methods=["POST"]),
        Route("/_control/ids", _endpoint(world, change_ids), methods=["POST"]),
        Route("/_control/token", _endpoint(world, give_token), methods=["POST"]),
        Route("/_control/member", _endpoint(world, change_member), methods=["POST"]),
        Route("/_control/webhooks", _endpoint(world, change_webhooks), methods=["POST"]),
        Route("/_control/shopify/privacy", _endpoint(world, ask_for_privacy), methods=["POST"]),
        Route("/_control/carts", _endpoint(world, fill_cart), methods=["POST"]),
        Route("/_control/discounts", _endpoint(world, change_discount), methods=["POST"]),
        Route("/_control/subtotal/link", _endpoint(world, link_retailer), methods=["POST"]),
        Route("/_control/subtotal/purchase", _endpoint(world, buy_at_retailer), methods=["POST"]),
        Route("/_control/subtotal/plan", _endpoint(world, change_plan), methods=["POST"]),
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
