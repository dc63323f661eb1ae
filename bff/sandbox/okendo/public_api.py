"""The pretended Okendo Storefront API, public part: what anyone may read, and the login that opens the rest.

Follows docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty ("Unauthenticated") and .../endpoints/referrals.
"""

import functools
import hmac
import re
import uuid
from collections.abc import Callable

from starlette.responses import Response

from bff.sandbox.calls import Call, Handler, Operation, Refused, answer
from bff.sandbox.json import JsonObject
from bff.sandbox.okendo import replies
from bff.sandbox.okendo.members import Member, NotAllowed
from bff.sandbox.okendo.translations import DEFAULT, ORDER_OF_LANGUAGES, in_language
from bff.sandbox.world import World

VERSION = "2025-02-01"
EMAIL = re.compile(r"[^@\s<>\"']{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
FORBIDDEN = {
    "customer_blocked", "not_enrolled", "insufficient_points", "ineligible_vip_tier", "wrong_rule_type",
    "access_denied",
}  # fmt: skip
MemberHandler = Callable[[World, Call, Member], Response]


def refused(world: World, status: int, description: str, code: str = "") -> Refused:
    """An error in the documented body: `{"error": {"description", "code"?}}`."""
    error = {"description": description} | ({"code": code} if code else {})
    return Refused(answer(world, {"error": error}, status))


def check_version(world: World, call: Call) -> None:
    """`okendo-api-version` is required and has one value."""
    if call.header("okendo-api-version") != VERSION:
        raise refused(world, 400, f"The okendo-api-version header must be {VERSION}.", "invalid_api_version")


def public(handle: Handler) -> Handler:
    """A call for one store, without any token."""

    @functools.wraps(handle)
    def checked(world: World, call: Call) -> Response:
        check_version(world, call)
        if call.path_value("subscriber_id") != world.config.okendo_user_id:
            raise refused(world, 404, "Subscriber not found.", "not_found")
        return handle(world, call)

    return checked


def for_member(handle: MemberHandler) -> Handler:
    """A call with the loyalty token of a customer, who must not be blocked, unless that is only told in their state."""

    @functools.wraps(handle)
    def checked(world: World, call: Call) -> Response:
        check_version(world, call)
        member = world.okendo_member(call.credentials("bearer"))
        if member is None:
            raise refused(world, 401, "The customer token is missing, expired or not valid.", "unauthorized")
        if member.state == "blocked" and member.is_refused:
            raise refused(world, 403, "The customer is blocked.", "customer_blocked")
        try:
            return handle(world, call, member)
        except NotAllowed as error:
            status = 403 if error.code in FORBIDDEN else 400
            raise refused(world, status, str(error), error.code) from error

    return checked


def body_of(world: World, call: Call) -> JsonObject:
    body = call.json()
    if body is None:
        raise refused(world, 400, "The body must be a JSON object.", "invalid_request")
    return body


def worded(world: World, call: Call, payload: JsonObject) -> Response:
    """The reply in the language that is asked for, as far as the merchant has words in it; country and currency are
    accepted and change nothing. What language it is in is only told when the control API has said so."""
    headers = {"content-language": spoken(call)} if world.tells_language else None
    return answer(world, in_language(payload, spoken(call)), headers=headers)


def spoken(call: Call) -> str:
    asked = call.query.get("languageCode", DEFAULT).lower()
    return asked if asked in ORDER_OF_LANGUAGES else DEFAULT


@public
def earning_rules(world: World, call: Call) -> Response:
    return worded(world, call, {"rules": [replies.earning_rule(rule) for rule in world.earning_rules.values()]})


@public
def redemption_rules(world: World, call: Call) -> Response:
    return worded(world, call, {"rules": [replies.reward(rule) for rule in world.rewards.values()]})


@public
def vip_program(world: World, call: Call) -> Response:
    return worded(world, call, replies.vip_program(world.told_tiers))


@public
def faqs(world: World, call: Call) -> Response:
    return worded(world, call, replies.faqs())


@public
def legal_policies(world: World, call: Call) -> Response:
    return worded(world, call, replies.legal_policies(world.policies, spoken(call)))


@public
def login(world: World, call: Call) -> Response:
    """Swap a Shopify customer token of this shop for a loyalty token; also for those who are pending or blocked."""
    body = body_of(world, call)
    words = {name: value for name, value in body.items() if isinstance(value, str)}
    pair = "storefrontAccessToken" in words and "storefrontCustomerAccessToken" in words
    if "customerAccessToken" not in words and not pair:
        raise refused(world, 400, "customerAccessToken, or both Storefront tokens, are required.", "invalid_request")
    persona = (
        world.grants.persona_of(words["customerAccessToken"])
        if "customerAccessToken" in words
        else _storefront_persona(world, words["storefrontAccessToken"], words["storefrontCustomerAccessToken"])
    )
    if persona is None:
        raise refused(world, 401, "Shopify does not accept this customer token.", "invalid_customer_token")
    member = world.members[persona]
    return answer(world, {"token": world.okendo_login(member), "customer": replies.customer(member)})


def _storefront_persona(world: World, store_token: str, customer_token: str) -> str | None:
    if not hmac.compare_digest(store_token.encode(), world.config.storefront_token.encode()):
        return None
    return world.grants.storefront_persona_of(customer_token)


@public
def referral_sender(world: World, call: Call) -> Response:
    """The referral link of an e-mail address, whether or not it is a customer's (documented in full)."""
    email = body_of(world, call).get("email")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        raise refused(world, 400, "The email address is not valid.", "invalid_email")
    member = world.member_by_email(email)
    sender = member.referral_sender_id if member else str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email.lower()}"))
    link = f"{world.config.url}/refer/{sender.partition('-')[0]}"
    return answer(world, {"referralSenderId": sender, "shareableLinkUrl": link})


_STORE = "/v1/stores/{subscriber_id}"


def _loyalty(*names: str) -> tuple[str, ...]:
    return tuple(f"{_STORE}/loyalty/{name}" for name in names)


OPERATIONS = (
    Operation("okendo", "earning_rules", "GET", _loyalty("earning_rules"), earning_rules),
    Operation("okendo", "redemption_rules", "GET", _loyalty("redemption_rules"), redemption_rules),
    Operation("okendo", "vip_program", "GET", _loyalty("vip_program", "vip_tiers", "vip"), vip_program),
    Operation("okendo", "faqs", "GET", _loyalty("faqs", "faq", "faq_items"), faqs),
    Operation("okendo", "legal_policies", "GET", _loyalty("legal_policies"), legal_policies),
    Operation("okendo", "login", "POST", _loyalty("login"), login),
    Operation("okendo", "referral_sender", "POST", (f"{_STORE}/referral_senders",), referral_sender),
)
