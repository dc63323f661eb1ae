"""The pretended Okendo speaks as the facts about the real one say: every operation, at every address it may have."""

import re
from typing import Any

import httpx2
import pytest
from support import sandbox_client
from support.sandbox_client import CONFIG, Sandbox
from support.vendor_facts import FACTS, Known, differences, known

from bff.sandbox.okendo import program
from bff.sandbox.operations import OPERATIONS

served, sandbox = sandbox_client.served, sandbox_client.sandbox

KNOWN = list(known())
DEFAULTS = {operation.name: operation for operation in reversed(KNOWN)}
PARTNER = CONFIG.okendo_partner_id
JOINING: Any = {"enrollmentChannel": PARTNER, "legalPoliciesVersionAccepted": "2025-03-01"}
# What each operation is sent; the persona who sends it is ella unless PEOPLE says otherwise.
BODIES: dict[str, Any] = {
    "activateCustomer": JOINING,
    "setBirthday": {"day": 29, "month": 2},
    "redeem": {"redemptionRuleId": program.FIVE_OFF, "currencyCode": "USD"},
    "sendReferralRequest": {"email": "friend@example.com"},
    "createReferralSender": {"email": "stranger@example.com"},
    "merchantCreateEarningTransaction": {
        "email": "ella@example.com", "earningRuleId": program.RETAIL_PURCHASE, "value": 42.5,
    },
}  # fmt: skip
PEOPLE = {"activateCustomer": "penny", "triggerSocialEarningRule": "zoe"}
QUERIES = {"merchantGetLoyaltyCustomer": {"email": "ella@example.com"}}
# The facts do not know these names. The sandbox has chosen them, and the client does without them.
CHOSEN_NAMES = {
    "rules.minimumVipTierName", "rules.isEligible", "rules.reward", "rules.reward.currencyCode",
    "transaction.coupon", "transaction.earningRuleId", "transaction.redemptionRuleId",
    "transactions.coupon", "transactions.redemptionRuleId",
}  # fmt: skip


def send(sandbox: Sandbox, operation: Known, persona: str, **changes: Any) -> httpx2.Response:
    """The right request for this operation, with changes to its `body`, `headers` or `path`."""
    token = sandbox.login(persona) if operation.details["security"] == [{"customerJwt": []}] else ""
    headers = {"okendo-api-version": "2025-02-01", "okendo-partner-id": PARTNER}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    body = BODIES.get(operation.name)
    if operation.name == "login":
        body = {"customerAccessToken": sandbox.control("token", persona=persona, kind="customer_account")["token"]}
    if operation.name == "sendReferralRequest":
        body = {**BODIES[operation.name], "referralSenderId": sender(sandbox, persona)}
    named = {"{subscriberId}": CONFIG.okendo_user_id, "{earningRuleId}": changes.get("path", program.INSTAGRAM)}
    path = operation.path
    for name, value in named.items():
        path = path.replace(name, value)
    is_merchant = path.startswith("/enterprise/")
    # A parameter that is None would take away the query that an alias has in its path.
    query: Any = {"params": QUERIES[operation.name]} if operation.name in QUERIES else {}
    return sandbox.http.request(
        operation.method,
        path,
        json=changes.get("body", body) if operation.method != "GET" else None,
        **query,
        headers={**headers, **changes.get("headers", {})},
        auth=(CONFIG.okendo_user_id, CONFIG.okendo_api_key) if is_merchant else httpx2.Auth(),
    )


def sender(sandbox: Sandbox, persona: str) -> str:
    reply = sandbox.store("POST", "referral_senders", json={"email": f"{persona}@example.com"})
    return str(reply.json()["referralSenderId"])


def bare(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path.partition("?")[0])


@pytest.mark.parametrize("operation", KNOWN, ids=lambda known: f"{known.method} {known.path}")
def test_every_operation_answers_at_every_address_as_the_facts_say(sandbox: Sandbox, operation: Known) -> None:
    reply = send(sandbox, operation, PEOPLE.get(operation.name, "ella"))
    assert reply.is_success, reply.text
    unknown = {f"{name} is not a known name" for name in CHOSEN_NAMES}
    assert set(differences(operation, reply)) - unknown == set()
    if reply.content:
        assert reply.json(), "an empty answer proves nothing"


def test_the_sandbox_has_these_operations_at_these_addresses_and_no_others() -> None:
    served_at = {
        (method, bare(path))
        for operation in OPERATIONS
        if operation.vendor == "okendo"
        for method in operation.methods.split()
        for path in operation.paths
    }
    facts = {(operation.method, bare(operation.path)) for operation in KNOWN}
    # The facts know three addresses and two methods for the birthday, and not which belong together.
    birthdays = {("POST", path) for method, path in facts if method == "PUT"}
    assert served_at == facts | birthdays


@pytest.mark.parametrize("operation", DEFAULTS.values(), ids=lambda known: known.name)
def test_no_call_goes_without_the_version(sandbox: Sandbox, operation: Known) -> None:
    assert "okendo-api-version" in {header["name"] for header in operation.headers}
    reply = send(sandbox, operation, PEOPLE.get(operation.name, "ella"), headers={"okendo-api-version": "2024-01-01"})
    # That the version is refused is a fact, with which status is not.
    assert reply.status_code == 400
    assert reply.json()["error"]["description"]


@pytest.mark.parametrize("name", [one.name for one in DEFAULTS.values() if "401" in one.details["responses"]])
def test_a_call_without_credentials_is_refused_as_the_facts_say(sandbox: Sandbox, name: str) -> None:
    operation = DEFAULTS[name]
    headers = {"authorization": "Bearer x"} if operation.path.startswith("/v1/") else {"authorization": "Basic eDp5"}
    path = operation.path.replace("{earningRuleId}", program.INSTAGRAM)
    reply = sandbox.http.request(
        operation.method, path, headers={"okendo-api-version": "2025-02-01"} | headers, json=BODIES.get(name)
    )
    assert (reply.status_code, list(differences(operation, reply))) == (401, [])


@pytest.mark.parametrize(
    ("name", "persona", "changes", "status"),
    [
        ("login", "ella", {"body": {"customerAccessToken": "shcat_nobody"}}, 401),
        ("activateCustomer", "penny", {"headers": {"okendo-partner-id": "another"}}, 400),
        ("activateCustomer", "penny", {"body": JOINING | {"legalPoliciesVersionAccepted": "old"}}, 400),
        ("activateCustomer", "blake", {}, 403),
        ("triggerSocialEarningRule", "penny", {}, 403),
        ("triggerSocialEarningRule", "ella", {"path": program.REVIEW}, 403),
        ("triggerSocialEarningRule", "ella", {"path": "nothing"}, 404),
        ("setBirthday", "ella", {"body": {"day": 31, "month": 2}}, 400),
        ("redeem", "zoe", {}, 403),
        ("redeem", "penny", {}, 403),
        ("redeem", "ella", {"body": {"redemptionRuleId": program.GOLD_ONLY}}, 403),
        ("redeem", "ella", {"body": {"redemptionRuleId": "nothing"}}, 400),
        ("redeem", "ella", {"body": {"redemptionRuleId": program.FIVE_OFF, "currencyCode": "EUR"}}, 422),
        ("getVipPeriodSpend", "penny", {}, 403),
        ("sendReferralRequest", "ella", {"body": {"email": "friend@"}}, 400),
        ("createReferralSender", "ella", {"body": {"email": "friend@"}}, 400),
        ("merchantCreateEarningTransaction", "ella", {"body": {"email": "ella@example.com"}}, 404),
        ("merchantCreateEarningTransaction", "ella", {"body": {"earningRuleId": program.LINK_RETAILER}}, 400),
    ],
)
def test_refusals_have_the_status_and_the_body_of_the_facts(
    sandbox: Sandbox, name: str, persona: str, changes: Any, status: int
) -> None:
    reply = send(sandbox, DEFAULTS[name], persona, **changes)
    assert (reply.status_code, list(differences(DEFAULTS[name], reply))) == (status, [])


def test_a_merchant_in_a_hurry_is_slowed_down_as_the_facts_say(sandbox: Sandbox) -> None:
    operation = DEFAULTS["merchantListEarningRules"]
    replies = [send(sandbox, operation, "") for _ in range(20)]
    assert {reply.status_code for reply in replies} == {200, 429}
    assert "429" in FACTS["paths"][operation.path]["get"]["responses"]


def test_what_is_not_as_the_facts_say_is_noticed() -> None:
    operation = DEFAULTS["getCustomer"]
    request = httpx2.Request("GET", "http://localhost")

    def flaws(status: int, **answer: Any) -> list[str]:
        return list(differences(operation, httpx2.Response(status, request=request, **answer)))

    assert flaws(200, json={"loyaltyCustomer": {"status": "gone"}})
    assert flaws(200, json={"loyaltyCustomer": {"dateEnrolled": "yesterday"}})
    assert flaws(200, json={"loyaltyCustomer": {"shoeSize": 9}})
    assert flaws(401, json={"error": {"code": "x"}})
    assert flaws(418, json={})
    assert flaws(200, text="<p>")
    assert flaws(200, json={"loyaltyCustomer": {"status": "enrolled"}}) == []
