"""The pretended Okendo Merchant API: for the merchant's servers only, two requests a second.

Follows docs.okendo.io/merchant-rest-api and .../endpoints/loyalty.
"""

import functools
import hmac
from collections.abc import Callable
from decimal import Decimal

from starlette.responses import Response

from bff.sandbox.calls import Call, Handler, Operation, answer
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo import replies
from bff.sandbox.okendo.members import Member, NotAllowed
from bff.sandbox.okendo.program import EarningRule
from bff.sandbox.okendo.public_api import body_of, check_version, refused
from bff.sandbox.world import World

RULE_NAMES = ("earningRuleId", "actionId", "ruleId", "customEarningRuleId")
VALUE_NAMES = ("value", "amount", "quantity")
LARGEST_VALUE = 10**9


def for_merchant(handle: Handler) -> Handler:
    """Basic with user id and key (401 has no body), the version header, and the pace."""

    @functools.wraps(handle)
    def checked(world: World, call: Call) -> Response:
        user, key = call.basic() or ("", "")
        right_key = hmac.compare_digest(key.encode(), world.config.okendo_api_key.encode())
        if user != world.config.okendo_user_id or not right_key:
            return Response(status_code=401, headers={"www-authenticate": "Basic"})
        if not world.merchant_bucket.take():
            raise refused(world, 429, "Too many requests.")
        check_version(world, call)
        return handle(world, call)

    return checked


@for_merchant
def customer(world: World, call: Call) -> Response:
    member = _named(world, call.query)
    if member is None:
        raise refused(world, 400, "loyaltyCustomerId or email is required.")
    return answer(world, {"loyaltyCustomer": replies.merchant_customer(member)})


@for_merchant
def earning_rules(world: World, call: Call) -> Response:
    """The Merchant list has no ids."""
    member = _named(world, call.query)
    return answer(
        world, {"rules": [replies.merchant_earning_rule(rule, member) for rule in world.earning_rules.values()]}
    )


@for_merchant
def redemption_rules(world: World, call: Call) -> Response:
    member = _named(world, call.query)
    return answer(world, {"rules": [replies.reward(rule, member) for rule in world.rewards.values()]})


@for_merchant
def earning_transactions(world: World, call: Call) -> Response:
    """Trigger a custom earning rule. Nobody removes duplicates here: every accepted call pays."""
    body = body_of(world, call)
    member, rule = _named(world, body), _custom_rule(world, body)
    if member is None:
        raise refused(world, 400, "email or loyaltyCustomerId is required.")
    value = _first(body, VALUE_NAMES)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | None):
        raise refused(world, 400, "The value must be a number.")
    if rule.calculation == "points-per" and not 0 < (value or 0) < LARGEST_VALUE:
        raise refused(world, 400, "This rule needs a value above zero.")
    try:
        entry = member.award(rule, value, world.clock.now())
    except NotAllowed as error:
        raise refused(world, 403, str(error)) from error
    return answer(world, {"transaction": replies.transaction(member, entry)})


def _named(world: World, names: JsonObject) -> Member | None:
    """The customer whom `loyaltyCustomerId` or `email` names, never both; None when neither is given."""
    given = {name: names[name] for name in ("loyaltyCustomerId", "email") if names.get(name) is not None}
    if len(given) == 2:
        raise refused(world, 400, "Give loyaltyCustomerId or email, not both.")
    find: dict[str, Callable[[str], Member | None]] = {
        "loyaltyCustomerId": world.member_by_loyalty_id,
        "email": world.member_by_email,
    }
    for name, value in given.items():
        member = find[name](str(value))
        if member is None:
            raise refused(world, 404, "Loyalty customer not found.")
        return member
    return None


def _custom_rule(world: World, body: JsonObject) -> EarningRule:
    rule = world.earning_rules.get(str(_first(body, RULE_NAMES)))
    if rule is None or rule.action != "custom":
        raise refused(world, 404, "Custom earning rule not found.")
    return rule


def _first(body: JsonObject, names: tuple[str, ...]) -> Json:
    return next((body[name] for name in names if name in body), None)


OPERATIONS = (
    Operation("okendo", "merchant_customer", "GET", ("/enterprise/loyalty/customers",), customer),
    Operation("okendo", "merchant_earning_rules", "GET", ("/enterprise/loyalty/earning_rules",), earning_rules),
    Operation(
        "okendo", "merchant_redemption_rules", "GET", ("/enterprise/loyalty/redemption_rules",), redemption_rules
    ),
    Operation(
        "okendo", "earning_transactions", "POST", ("/enterprise/loyalty/earning_transactions",), earning_transactions
    ),
)
