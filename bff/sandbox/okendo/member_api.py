"""The pretended Okendo Storefront API, customer part: everything that needs the loyalty token.

Follows docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty: "Customer Authenticated", "Loyalty x Referrals".
"""

import calendar
import json
from collections.abc import Sequence
from urllib.parse import quote, urlencode

from starlette.responses import Response

from bff.sandbox.calls import Call, Operation, answer
from bff.sandbox.clock import iso
from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo import replies
from bff.sandbox.okendo.members import Member, NotAllowed
from bff.sandbox.okendo.program import CURRENCY
from bff.sandbox.okendo.public_api import EMAIL, body_of, for_member, refused, worded
from bff.sandbox.world import World

PAGE = 25


@for_member
def customer(world: World, call: Call, member: Member) -> Response:
    return answer(world, {"loyaltyCustomer": replies.customer(member)})


@for_member
def activate(world: World, call: Call, member: Member) -> Response:
    """Enrol: the partner header equals the channel, and the version is the current one, of the same JSON type."""
    body = body_of(world, call)
    channel, version = body.get("enrollmentChannel"), body.get("legalPoliciesVersionAccepted")
    if not isinstance(channel, str) or call.header("okendo-partner-id") != channel:
        raise refused(world, 400, "The okendo-partner-id header must equal enrollmentChannel.", "invalid_channel")
    if channel != world.config.okendo_partner_id:
        raise refused(world, 403, "This partner may not enrol customers.", "access_denied")
    current = world.policies.version
    if type(version) is not type(current) or version != current:
        raise refused(world, 400, "The accepted legal policies are not the current ones.", "policies_outdated")
    member.enrol(version, channel, world.clock.now())
    return answer(world, {"loyaltyCustomer": replies.customer(member)})


@for_member
def earning_rules(world: World, call: Call, member: Member) -> Response:
    rules = [replies.earning_rule(rule, member) for rule in world.earning_rules.values()]
    return worded(world, call, {"rules": rules})


@for_member
def trigger(world: World, call: Call, member: Member) -> Response:
    """Earn for a social action; the rule's id is in the path, the query or the body."""
    told = (call.json() or {}).get("earningRuleId", "")
    rule = world.earning_rules.get(call.path_value("rule_id") or call.query.get("earningRuleId") or str(told))
    if rule is None:
        raise refused(world, 404, "Earning rule not found or inactive.", "not_found")
    if rule.action != "social-follow":
        raise refused(world, 403, "Only social earning rules can be triggered.", "wrong_rule_type")
    entry = member.trigger(rule, world.clock.now())
    return answer(world, {"transaction": replies.transaction(member, entry), **replies.paid_out(entry)})


@for_member
def birthday(world: World, call: Call, member: Member) -> Response:
    """A day and a month that exist together, the 29th of February among them; no year."""
    body = body_of(world, call)
    day, month = body.get("day"), body.get("month")
    if type(day) is not int or type(month) is not int or not 1 <= month <= 12 or not 1 <= day <= _days(month):
        raise refused(world, 400, "The birthday is not valid.", "invalid_birthday")
    member.birthday = (day, month)
    return Response(status_code=204)


def _days(month: int) -> int:
    return calendar.monthrange(2024, month)[1]


@for_member
def redemption_rules(world: World, call: Call, member: Member) -> Response:
    return worded(world, call, {"rules": [replies.reward(rule, member) for rule in world.rewards.values()]})


@for_member
def redeem(world: World, call: Call, member: Member) -> Response:
    """Spend points. There is no idempotency key: every accepted call is one redemption."""
    body = body_of(world, call)
    rule = world.rewards.get(str(body.get("redemptionRuleId")))
    if rule is None:
        raise refused(world, 400, "The redemption rule is not valid.", "invalid_redemption_rule")
    if str(body.get("currencyCode", CURRENCY)).upper() != CURRENCY:
        raise refused(world, 422, "The currency does not match the store's.", "currency_mismatch")
    entry = member.redeem(rule, world.clock.now())
    spent: dict[str, Json] = {"transaction": replies.transaction(member, entry), "pointsSpent": rule.points}
    return answer(world, {**spent, **replies.paid_out(entry)})


@for_member
def transactions(world: World, call: Call, member: Member) -> Response:
    """A page of history; `nextUrl` is relative to the API root and absent on the last page.

    The control API can have it come in the other order than was asked for.
    """
    order = call.query.get("orderBy", "date desc")
    limit = call.query.get("limit", str(PAGE))
    if order not in ("date desc", "date asc"):
        raise refused(world, 400, "orderBy must be 'date desc' or 'date asc'.", "invalid_request")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 100):
        raise refused(world, 400, "limit must be from 1 to 100.", "invalid_request")
    lines = [replies.transaction(member, entry) for entry in member.history]
    oldest_first = (order == "date asc") is not world.history_reversed
    lines = lines if oldest_first else lines[::-1]
    return _paged(world, call, "transactions", lines, limit=int(limit))


@for_member
def spend(world: World, call: Call, member: Member) -> Response:
    if member.state != "enrolled":
        raise NotAllowed("not_enrolled", "The customer is not enrolled in the loyalty program.")
    return answer(world, {"spend": member.spend, "currencyCode": CURRENCY})


@for_member
def referral_request(world: World, call: Call, member: Member) -> Response:
    """Ask a friend by e-mail; customers of the shop cannot be referred."""
    body = body_of(world, call)
    email = body.get("email")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise refused(world, 400, "The email address is not valid.", "invalid_email")
    if body.get("referralSenderId") != member.referral_sender_id:
        raise refused(world, 400, "The referral sender is not this customer.", "referral_rejected")
    friend = world.member_by_email(email)
    if friend not in (None, member):
        raise refused(world, 400, "This friend is already a customer.", "referral_rejected")
    member.invite(email, world.clock.now())
    return Response(status_code=204)


@for_member
def referrals(world: World, call: Call, member: Member) -> Response:
    lines = [{"email": one.email, "status": one.status, "date": iso(one.date)} for one in reversed(member.referrals)]
    return _paged(world, call, "referrals", lines)


@for_member
def referral_count(world: World, call: Call, member: Member) -> Response:
    return answer(world, {"count": len(member.referrals)})


def _paged(world: World, call: Call, name: str, lines: Sequence[JsonObject], *, limit: int = PAGE) -> Response:
    """One page after the cursor, which is URL-encoded JSON naming the last line seen, as live stores send it."""
    key = "loyaltyTransactionId" if name == "transactions" else "email"
    start = 0
    if "lastEvaluated" in call.query:
        seen = [line[key] for line in lines]
        last = _cursor(call.query["lastEvaluated"], key)
        if last not in seen:
            raise refused(world, 400, "lastEvaluated is not a cursor of this list.", "invalid_request")
        start = seen.index(last) + 1
    payload: dict[str, Json] = {name: lines[start : start + limit]}
    if start + limit < len(lines):
        last_seen = lines[_following(world, start, limit) - 1]
        payload["nextUrl"] = _next_url(call, json.dumps({key: last_seen[key]}, separators=(",", ":")))
        if world.dead_end:
            payload["nextUrl"] = "/next?page=2"
    return answer(world, payload)


def _following(world: World, start: int, limit: int) -> int:
    """Where the next page starts; at the end of a circle, where the circle does."""
    page = start // limit
    closes = world.circle and page and page % world.circle == 0
    return start - (world.circle - 1) * limit if closes else start + limit


def _next_url(call: Call, cursor: str) -> str:
    """Relative to the API's root, without its version, the cursor percent-encoded."""
    kept = [(name, value) for name, value in call.query.items() if name != "lastEvaluated"]
    query = urlencode([*kept, ("lastEvaluated", cursor)], quote_via=quote)
    return f"{call.request.url.path.removeprefix('/v1')}?{query}"


def _cursor(text: str, key: str) -> Json:
    try:
        cursor = json.loads(text)
    except ValueError:
        return None
    return cursor.get(key) if isinstance(cursor, dict) else None


def _at(*names: str) -> tuple[str, ...]:
    return tuple(f"/v1/loyalty/{name}" for name in names)


_TRIGGERS = _at(
    "earning_rules/{rule_id}/trigger", "earning_rules/{rule_id}", "social_earning_transactions/{rule_id}",
    "earning_rules", "social_earning_transactions",
)  # fmt: skip
OPERATIONS = (
    Operation("okendo", "customer", "GET", _at("customer", "customers", "customer_details"), customer),
    Operation("okendo", "customer_activation", "POST", _at("customer_activation"), activate),
    Operation("okendo", "customer_earning_rules", "GET", _at("earning_rules", "customer_earning_rules"), earning_rules),
    Operation("okendo", "trigger", "POST", _TRIGGERS, trigger),
    Operation("okendo", "birthday", "PUT POST", _at("customer_birthday", "birthday", "customer/birthday"), birthday),
    Operation("okendo", "customer_redemption_rules", "GET", _at("redemption_rules"), redemption_rules),
    Operation("okendo", "redeem", "POST", _at("redemptions", "redemption_transactions", "redeem"), redeem),
    Operation("okendo", "transactions", "GET", _at("transactions", "customer_transactions"), transactions),
    Operation("okendo", "spend", "GET", _at("customer_spend", "spend", "vip_spend"), spend),
    Operation("okendo", "referral_request", "POST", _at("referral_requests", "referrals"), referral_request),
    Operation("okendo", "referrals", "GET", _at("referrals", "referral_history"), referrals),
    Operation("okendo", "referral_count", "GET", _at("referral_count", "referrals/count"), referral_count),
)
