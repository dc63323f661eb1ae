"""The pretended Okendo follows Okendo's rules, seen through its front door."""

import httpx2
import pytest
from support import sandbox_client
from support.sandbox_client import CONFIG, Sandbox, error_of

from bff.sandbox.okendo import program

served, sandbox = sandbox_client.served, sandbox_client.sandbox

VERSION = {"okendo-api-version": "2025-02-01"}
PARTNER = CONFIG.okendo_partner_id


def enrol(sandbox: Sandbox, token: str, version: object = "2025-03-01", **headers: str) -> httpx2.Response:
    body = {"enrollmentChannel": PARTNER, "legalPoliciesVersionAccepted": version}
    return sandbox.loyalty(
        token, "POST", "customer_activation", json=body, headers={"okendo-partner-id": PARTNER} | headers
    )


def redeem(sandbox: Sandbox, token: str, rule: str, **more: str) -> httpx2.Response:
    return sandbox.loyalty(token, "POST", "redemptions", json={"redemptionRuleId": rule, **more})


def award(sandbox: Sandbox, rule: str, value: str = "", email: str = "ella@example.com") -> httpx2.Response:
    """Raw JSON, so that a decimal arrives as it was written."""
    more = f', "value": {value}' if value else ""
    content = f'{{"email": "{email}", "earningRuleId": "{rule}"{more}}}'
    return sandbox.merchant("POST", "earning_transactions", content=content)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("earning_rules", "rules"),
        ("redemption_rules?countryCode=us&languageCode=en&currencyCode=USD", "rules"),
        ("vip_program", "vipProgram"),
        ("vip_tiers", "vipProgram"),
        ("vip", "vipProgram"),
        ("faqs", "faqs"),
        ("faq", "faqs"),
        ("faq_items", "faqs"),
        ("legal_policies", "legalPolicies"),
    ],
)
def test_the_program_is_public_at_every_path_it_may_have(sandbox: Sandbox, path: str, key: str) -> None:
    reply = sandbox.store("GET", f"loyalty/{path}")
    assert reply.status_code == 200
    assert reply.json()[key]


def test_the_version_header_is_required(sandbox: Sandbox) -> None:
    path = f"/v1/stores/{CONFIG.okendo_user_id}/loyalty/faqs"
    for headers in ({}, {"okendo-api-version": "2024-01-01"}):
        assert error_of(sandbox.http.get(path, headers=headers)) == (400, "invalid_api_version")


def test_an_unknown_store_is_not_found(sandbox: Sandbox) -> None:
    assert error_of(sandbox.http.get("/v1/stores/other/loyalty/faqs", headers=VERSION))[0] == 404


def test_the_legal_policies_have_all_documented_fields(sandbox: Sandbox) -> None:
    policies = sandbox.store("GET", "loyalty/legal_policies").json()["legalPolicies"]
    assert policies["version"] == "2025-03-01"
    assert policies["acceptTermsAndJoinProgramButtonText"] == "Accept terms & join"
    assert policies["policySentence"]["html"].count('<a href="https://') == 2
    assert {"privacyPolicyUrl", "termsAndConditionsUrl"} <= set(policies)


@pytest.mark.parametrize(("persona", "status"), [("ella", "enrolled"), ("penny", "pending"), ("blake", "blocked")])
def test_login_answers_a_token_and_the_status(sandbox: Sandbox, persona: str, status: str) -> None:
    token = sandbox.control("token", persona=persona, kind="customer_account")["token"]
    reply = sandbox.store("POST", "loyalty/login", json={"customerAccessToken": token}).json()
    assert reply["token"].startswith("eyJ")
    assert reply["customer"]["status"] == status
    assert sandbox.member(persona)["logins"] == 1


def test_login_accepts_a_signed_in_shoppers_token(sandbox: Sandbox) -> None:
    token = sandbox.sign_in("tara")["access_token"]
    reply = sandbox.store("POST", "loyalty/login", json={"customerAccessToken": token})
    assert reply.json()["customer"]["vipTierName"] == "Gold"


def test_login_accepts_the_legacy_pair_and_only_with_the_shops_token(sandbox: Sandbox) -> None:
    customer = sandbox.member("zoe")["storefrontToken"]
    pair = {"storefrontAccessToken": CONFIG.storefront_token, "storefrontCustomerAccessToken": customer}
    assert sandbox.store("POST", "loyalty/login", json=pair).status_code == 200
    wrong = pair | {"storefrontAccessToken": "wrong"}
    assert error_of(sandbox.store("POST", "loyalty/login", json=wrong))[0] == 401


def test_login_refuses_unknown_expired_revoked_and_foreign_tokens(sandbox: Sandbox) -> None:
    foreign = sandbox.control("token", persona="ella", kind="customer_account", shop="other")["token"]
    revoked = sandbox.sign_in()
    sandbox.http.get("/authentication/logout", params={"id_token_hint": revoked["id_token"]})
    expired = sandbox.sign_in()["access_token"]
    sandbox.control("clock", advance=3601)
    for token in ("shcat_unknown", foreign, revoked["access_token"], expired):
        reply = sandbox.store("POST", "loyalty/login", json={"customerAccessToken": token})
        assert error_of(reply) == (401, "invalid_customer_token")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"nonsense", b'{"customerAccessToken": 7}', b'{"a": "\\ud800"}'])
def test_login_without_a_token_is_a_bad_request(sandbox: Sandbox, body: bytes) -> None:
    assert error_of(sandbox.store("POST", "loyalty/login", content=body)) == (400, "invalid_request")


def test_a_loyalty_token_lasts_an_hour(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    assert sandbox.loyalty(token, "GET", "customer").status_code == 200
    sandbox.control("clock", advance=3601)
    assert error_of(sandbox.loyalty(token, "GET", "customer")) == (401, "unauthorized")
    assert error_of(sandbox.loyalty("eyJ.unknown.token", "GET", "customer")) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["customer", "customers", "customer_details"])
def test_customer_details_tell_balance_tier_and_sender(sandbox: Sandbox, path: str) -> None:
    customer = sandbox.loyalty(sandbox.login("ella"), "GET", path).json()["loyaltyCustomer"]
    assert customer["points"] == {"balance": 1240, "pending": 45}
    assert customer["vipTierName"] == "Bronze"
    assert customer["referralSenderId"] == sandbox.member("ella")["referralSenderId"]
    assert customer["customer"]["email"] == "ella@example.com"


def test_a_pending_customer_has_points_but_no_tier(sandbox: Sandbox) -> None:
    customer = sandbox.loyalty(sandbox.login("penny"), "GET", "customer").json()["loyaltyCustomer"]
    assert customer["points"]["balance"] == 60
    assert "vipTierName" not in customer


def test_a_blocked_customer_is_refused_everywhere(sandbox: Sandbox) -> None:
    token = sandbox.login("blake")
    assert error_of(sandbox.loyalty(token, "GET", "customer")) == (403, "customer_blocked")
    assert error_of(enrol(sandbox, token)) == (403, "customer_blocked")
    assert error_of(redeem(sandbox, token, program.FIVE_OFF)) == (403, "customer_blocked")


def test_enrolling_gives_points_and_tier_once(sandbox: Sandbox) -> None:
    token = sandbox.login("penny")
    assert enrol(sandbox, token).status_code == 200
    assert enrol(sandbox, token).status_code == 200
    penny = sandbox.member("penny")
    assert (penny["state"], penny["balance"]) == ("enrolled", 260)
    assert penny["enrolments"] == [{"version": "2025-03-01", "channel": PARTNER}]
    assert sandbox.loyalty(token, "GET", "customer").json()["loyaltyCustomer"]["vipTierName"] == "Bronze"


def test_enrolling_needs_the_partner_header_to_equal_the_channel(sandbox: Sandbox) -> None:
    token = sandbox.login("penny")
    assert error_of(enrol(sandbox, token, **{"okendo-partner-id": "someone"})) == (400, "invalid_channel")
    body = {"enrollmentChannel": "someone", "legalPoliciesVersionAccepted": "2025-03-01"}
    headers = {"okendo-partner-id": "someone"}
    reply = sandbox.loyalty(token, "POST", "customer_activation", json=body, headers=headers)
    assert error_of(reply) == (403, "access_denied")
    assert sandbox.member("penny")["enrolments"] == []


def test_enrolling_needs_the_current_version_with_its_json_type(sandbox: Sandbox) -> None:
    token = sandbox.login("penny")
    assert error_of(enrol(sandbox, token, "2024-01-01")) == (400, "policies_outdated")
    sandbox.control("policies", version=7)
    assert sandbox.store("GET", "loyalty/legal_policies").json()["legalPolicies"]["version"] == 7
    for wrong in ("7", 7.0, True, None):
        assert error_of(enrol(sandbox, token, wrong)) == (400, "policies_outdated")
    assert enrol(sandbox, token, 7).status_code == 200


@pytest.mark.parametrize("path", ["redemptions", "redemption_transactions", "redeem"])
def test_redeeming_takes_the_points_at_once_and_mints_a_coupon(sandbox: Sandbox, path: str) -> None:
    token = sandbox.login("ella")
    reply = sandbox.loyalty(token, "POST", path, json={"redemptionRuleId": program.FIVE_OFF}).json()
    code = reply["coupon"]["code"]
    assert reply["pointsSpent"] == 500
    ella = sandbox.member("ella")
    assert ella["balance"] == 740
    assert ella["redemptions"] == [{"rule": program.FIVE_OFF, "points": 500, "code": code}]
    newest = sandbox.loyalty(token, "GET", "transactions?limit=1").json()["transactions"][0]
    assert newest == reply["transaction"]
    assert (newest["type"], newest["amount"], newest["coupon"]["code"]) == ("redemption", -500, code)


def test_every_accepted_redemption_is_another_one(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    codes = {redeem(sandbox, token, program.FIVE_OFF).json()["coupon"]["code"] for _ in range(2)}
    assert len(codes) == 2
    assert error_of(redeem(sandbox, token, program.FIVE_OFF)) == (403, "insufficient_points")
    assert sandbox.member("ella")["balance"] == 240


def test_store_credit_has_no_code(sandbox: Sandbox) -> None:
    reply = redeem(sandbox, sandbox.login("ella"), program.STORE_CREDIT).json()
    assert "coupon" not in reply
    assert reply["storeCredit"] == {"amount": 8, "currencyCode": "USD"}
    assert sandbox.member("ella")["redemptions"][0]["code"] is None


@pytest.mark.parametrize(
    ("persona", "rule", "error"),
    [
        ("penny", program.FIVE_OFF, (403, "not_enrolled")),
        ("zoe", program.FIVE_OFF, (403, "insufficient_points")),
        ("ella", program.GOLD_ONLY, (403, "ineligible_vip_tier")),
        ("ella", "unknown", (400, "invalid_redemption_rule")),
    ],
)
def test_a_redemption_that_is_not_allowed_changes_nothing(
    sandbox: Sandbox, persona: str, rule: str, error: tuple[int, str]
) -> None:
    before = sandbox.member(persona)["balance"]
    assert error_of(redeem(sandbox, sandbox.login(persona), rule)) == error
    assert (sandbox.member(persona)["balance"], sandbox.member(persona)["redemptions"]) == (before, [])


def test_a_tier_limited_reward_is_for_that_tier(sandbox: Sandbox) -> None:
    token = sandbox.login("tara")
    assert redeem(sandbox, token, program.GOLD_ONLY).status_code == 200
    rules = sandbox.loyalty(token, "GET", "redemption_rules").json()["rules"]
    assert all(rule["isEligible"] for rule in rules)


def test_another_currency_is_a_mismatch(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    assert error_of(redeem(sandbox, token, program.FIVE_OFF, currencyCode="EUR")) == (422, "currency_mismatch")
    assert redeem(sandbox, token, program.FIVE_OFF, currencyCode="usd").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        f"earning_rules/{program.INSTAGRAM}/trigger",
        f"earning_rules/{program.INSTAGRAM}",
        f"social_earning_transactions/{program.INSTAGRAM}",
        f"earning_rules?earningRuleId={program.INSTAGRAM}",
    ],
)
def test_a_social_rule_pays_once(sandbox: Sandbox, path: str) -> None:
    token = sandbox.login("tara")
    assert sandbox.loyalty(token, "POST", path).json()["transaction"]["amount"] == 50
    assert error_of(sandbox.loyalty(token, "POST", path)) == (400, "already_completed")
    tara = sandbox.member("tara")
    assert (tara["balance"], tara["triggers"]) == (3500, [{"rule": program.INSTAGRAM}])
    rules = sandbox.loyalty(token, "GET", "earning_rules").json()["rules"]
    assert {rule["earningRuleId"]: rule["isCompleted"] for rule in rules}[program.INSTAGRAM] is True


@pytest.mark.parametrize(("rule", "key"), [(program.TIKTOK, "coupon"), (program.YOUTUBE, "storeCredit")])
def test_a_social_rule_may_pay_a_coupon_or_store_credit(sandbox: Sandbox, rule: str, key: str) -> None:
    reply = sandbox.loyalty(sandbox.login("ella"), "POST", f"earning_rules/{rule}/trigger").json()
    assert reply[key]
    assert reply["transaction"]["amount"] == 0


@pytest.mark.parametrize(
    ("persona", "rule", "error"),
    [
        ("penny", program.INSTAGRAM, (403, "not_enrolled")),
        ("tara", program.ORDER, (403, "wrong_rule_type")),
        ("tara", "unknown", (404, "not_found")),
    ],
)
def test_a_trigger_that_is_not_allowed_is_explained(
    sandbox: Sandbox, persona: str, rule: str, error: tuple[int, str]
) -> None:
    assert error_of(sandbox.loyalty(sandbox.login(persona), "POST", f"earning_rules/{rule}/trigger")) == error


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "customer_birthday"), ("POST", "birthday"), ("PUT", "customer/birthday")]
)
def test_a_birthday_is_kept(sandbox: Sandbox, method: str, path: str) -> None:
    reply = sandbox.loyalty(sandbox.login("ella"), method, path, json={"day": 29, "month": 2})
    assert (reply.status_code, reply.content) == (204, b"")
    assert sandbox.member("ella")["birthday"] == {"day": 29, "month": 2}


@pytest.mark.parametrize(
    "body", [{"day": 31, "month": 4}, {"day": 0, "month": 1}, {"day": "1", "month": 1}, {"day": 1}]
)
def test_a_birthday_that_does_not_exist_is_refused(sandbox: Sandbox, body: dict[str, object]) -> None:
    reply = sandbox.loyalty(sandbox.login("ella"), "PUT", "customer_birthday", json=body)
    assert error_of(reply) == (400, "invalid_birthday")


@pytest.mark.parametrize("order", ["date desc", "date asc"])
def test_following_next_url_reads_all_transactions_once_in_order(sandbox: Sandbox, order: str) -> None:
    token, seen = sandbox.login("tara"), []
    path = f"transactions?limit=20&orderBy={order}"
    while path:
        page = sandbox.loyalty(token, "GET", path).json()
        seen += page["transactions"]
        path = page.get("nextUrl", "").removeprefix("/loyalty/")
    assert len(seen) == len({line["loyaltyTransactionId"] for line in seen}) > 40
    assert seen == sorted(seen, key=lambda line: line["date"], reverse=order == "date desc")


@pytest.mark.parametrize("order", ["date%20desc", "date%20asc"])
def test_a_history_may_come_in_the_other_order_than_was_asked_for(sandbox: Sandbox, order: str) -> None:
    token, path = sandbox.login("ella"), f"transactions?limit=100&orderBy={order}"
    asked_for = sandbox.loyalty(token, "GET", path).json()["transactions"]
    sandbox.control("history/order", reversed=True)
    assert sandbox.loyalty(token, "GET", path).json()["transactions"] == asked_for[::-1]
    sandbox.control("history/order", reversed=False)
    assert sandbox.loyalty(token, "GET", path).json()["transactions"] == asked_for


def test_completed_transactions_add_up_to_the_balance(sandbox: Sandbox) -> None:
    for persona in ("ella", "penny", "zoe", "tara", "rami"):
        lines = sandbox.loyalty(sandbox.login(persona), "GET", "transactions?limit=100").json()["transactions"]
        total = sum(line["amount"] for line in lines if line["status"] == "complete")
        assert total == sandbox.member(persona)["balance"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "orderBy=points", "lastEvaluated=nonsense", "lastEvaluated=%7B%7D"]
)
def test_a_page_that_does_not_exist_is_a_bad_request(sandbox: Sandbox, query: str) -> None:
    assert sandbox.loyalty(sandbox.login("ella"), "GET", f"transactions?{query}").status_code == 400


@pytest.mark.parametrize("path", ["customer_spend", "spend", "vip_spend"])
def test_spend_is_for_the_enrolled(sandbox: Sandbox, path: str) -> None:
    assert sandbox.loyalty(sandbox.login("ella"), "GET", path).json() == {"spend": 185.4, "currencyCode": "USD"}
    assert error_of(sandbox.loyalty(sandbox.login("penny"), "GET", path)) == (403, "not_enrolled")


def test_a_friend_is_referred_once_and_counted(sandbox: Sandbox) -> None:
    token, sender = sandbox.login("zoe"), sandbox.member("zoe")["referralSenderId"]
    body = {"email": "friend@example.net", "referralSenderId": sender}
    first = sandbox.loyalty(token, "POST", "referral_requests", json=body)
    assert (first.status_code, first.content) == (204, b"")
    assert error_of(sandbox.loyalty(token, "POST", "referrals", json=body)) == (400, "referral_rejected")
    assert sandbox.member("zoe")["referrals"] == [{"email": "friend@example.net"}]
    assert sandbox.loyalty(token, "GET", "referral_count").json() == {"count": 1}
    history = sandbox.loyalty(token, "GET", "referral_history").json()["referrals"]
    assert [(line["email"], line["status"]) for line in history] == [("friend@example.net", "pending")]


@pytest.mark.parametrize("email", ["nonsense", "a@b", "ella@example.com", "tara@example.com", "x@y.z\nBcc: a@b.c", 7])
def test_a_referral_that_cannot_be_is_refused(sandbox: Sandbox, email: object) -> None:
    body = {"email": email, "referralSenderId": sandbox.member("ella")["referralSenderId"]}
    assert sandbox.loyalty(sandbox.login("ella"), "POST", "referral_requests", json=body).status_code == 400


def test_nobody_refers_in_anothers_name(sandbox: Sandbox) -> None:
    body = {"email": "friend@example.net", "referralSenderId": sandbox.member("tara")["referralSenderId"]}
    assert error_of(sandbox.loyalty(sandbox.login("ella"), "POST", "referral_requests", json=body))[0] == 400


def test_a_referral_sender_has_a_link(sandbox: Sandbox) -> None:
    reply = sandbox.store("POST", "referral_senders", json={"email": "ella@example.com"}).json()
    assert reply["referralSenderId"] == sandbox.member("ella")["referralSenderId"]
    assert reply["shareableLinkUrl"].startswith("http")
    assert error_of(sandbox.store("POST", "referral_senders", json={"email": "x"})) == (400, "invalid_email")


def test_the_merchant_api_needs_its_key_and_refuses_without_a_body(sandbox: Sandbox) -> None:
    reply = sandbox.merchant("GET", "customers?email=ella@example.com", auth=(CONFIG.okendo_user_id, "wrong"))
    assert (reply.status_code, reply.content) == (401, b"")


def test_the_merchant_api_finds_a_customer_by_email_or_id_but_not_both(sandbox: Sandbox) -> None:
    found = sandbox.merchant("GET", "customers", params={"email": "Ella@Example.com"}).json()["loyaltyCustomer"]
    assert found == {
        "loyaltyCustomerId": sandbox.member("ella")["loyaltyCustomerId"],
        "points": {"balance": 1240},
        "status": "enrolled",
        "vipTierName": "Bronze",
    }
    both = {"email": "ella@example.com", "loyaltyCustomerId": found["loyaltyCustomerId"]}
    assert sandbox.merchant("GET", "customers", params=both).status_code == 400
    assert sandbox.merchant("GET", "customers", params={"email": "nobody@example.com"}).status_code == 404


def test_the_merchant_lists_have_rules_and_earning_rules_have_no_ids(sandbox: Sandbox) -> None:
    earning = sandbox.merchant("GET", "earning_rules").json()["rules"]
    assert {"fixed-amount", "points-per", "points-per-spend", "submit-review"} <= {rule["type"] for rule in earning}
    assert not any("earningRuleId" in rule for rule in earning)
    assert sandbox.merchant("GET", "redemption_rules").json()["rules"][0]["redemptionRuleId"]


def test_a_fixed_rule_pays_its_points_also_to_those_who_have_not_joined(sandbox: Sandbox) -> None:
    assert award(sandbox, program.LINK_RETAILER, email="penny@example.com").json()["transaction"]["amount"] == 150
    penny = sandbox.member("penny")
    assert (penny["balance"], penny["state"]) == (210, "pending")
    assert penny["awards"] == [{"rule": program.LINK_RETAILER, "value": None, "points": 150}]


@pytest.mark.parametrize(("value", "points"), [("42.50", 85), ("0.29", 0), ("19.99", 39), ("10", 20), ("1e1", 20)])
def test_a_value_is_multiplied_exactly(sandbox: Sandbox, value: str, points: int) -> None:
    assert award(sandbox, program.RETAIL_PURCHASE, value).json()["transaction"]["amount"] == points
    assert sandbox.member("ella")["awards"][0]["points"] == points


def test_the_value_is_kept_as_it_was_written(sandbox: Sandbox) -> None:
    award(sandbox, program.RETAIL_PURCHASE, "42.50")
    assert '"value":42.50,' in sandbox.http.get("/_control/state").text


@pytest.mark.parametrize(
    ("rule", "value", "status"),
    [
        (program.RETAIL_PURCHASE, "", 400),
        (program.RETAIL_PURCHASE, '"42.50"', 400),
        (program.RETAIL_PURCHASE, "true", 400),
        (program.RETAIL_PURCHASE, "[42.5]", 400),
        (program.LINK_RETAILER, '"1"', 400),
        (program.RETAIL_PURCHASE, "-1", 400),
        (program.RETAIL_PURCHASE, "1e999999", 400),
        (program.ORDER, "1", 404),
        ("unknown", "1", 404),
    ],
)
def test_an_award_that_makes_no_sense_pays_nothing(sandbox: Sandbox, rule: str, value: str, status: int) -> None:
    assert award(sandbox, rule, value).status_code == status
    assert sandbox.member("ella")["awards"] == []


def test_a_blocked_customer_earns_nothing(sandbox: Sandbox) -> None:
    assert award(sandbox, program.LINK_RETAILER, email="blake@example.com").status_code == 403


def test_the_merchant_api_allows_two_calls_a_second_after_a_small_burst(sandbox: Sandbox) -> None:
    statuses = [sandbox.merchant("GET", "earning_rules").status_code for _ in range(10)]
    assert statuses[:5] == [200] * 5
    assert 429 in statuses
    sandbox.control("clock", advance=1)
    assert sandbox.merchant("GET", "earning_rules").status_code == 200


def test_the_pace_of_the_merchant_api_is_the_clocks(sandbox: Sandbox) -> None:
    sandbox.control("clock", rate=10_000)
    statuses = {sandbox.merchant("GET", "earning_rules").status_code for _ in range(20)}
    assert statuses == {200}
