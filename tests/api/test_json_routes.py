"""The JSON routes as storefront JavaScript sees them: shapes, states, and who is told what."""

import re
from typing import Any

import pytest
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, GOLD_ONLY, code_of, new_key, redeem
from support.services import Service, Vendors
from support.shopper import COOKIE, Shopper

PUBLIC = ("/program", "/earning-rules", "/rewards", "/legal-policies")
READS = ("/me", "/me/rewards", "/me/referrals", "/me/redemptions/a-key-of-an-intent-1")
WRITES: dict[str, Any] = {
    "/me/enrolment": {"policiesVersion": "1", "policiesDigest": "x"},
    "/me/redemptions": {"rewardId": FIVE_OFF},
    "/me/referrals": {"email": "friend@example.com"},
}
BEHIND = {"/earning-rules": "earning_rules", "/rewards": "redemption_rules", "/legal-policies": "legal_policies"}
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
KEY = "a-key-of-an-intent-1"


def whole(value: Any) -> bool:
    return type(value) is int


def test_the_public_program(shopper: Shopper) -> None:
    program = shopper.api("GET", "/program").json()
    assert set(program) == {"earningRules", "rewards", "tiers"}
    assert program["earningRules"] == shopper.api("GET", "/earning-rules").json()["earningRules"]
    assert program["rewards"] == shopper.api("GET", "/rewards").json()["rewards"]
    assert [tier["name"] for tier in program["tiers"]] == ["Bronze", "Silver", "Gold"]


def test_ways_to_earn(shopper: Shopper) -> None:
    answer = shopper.api("GET", "/earning-rules").json()
    assert set(answer) == {"earningRules"}
    for rule in answer["earningRules"]:
        assert {"id", "name", "kind"} <= set(rule) <= {"id", "name", "kind", "gives", "points", "url"}
        assert whole(rule.get("points", 0))
        assert rule.get("url", "https://").startswith("https://")
    kinds = {rule["kind"] for rule in answer["earningRules"]}
    assert {"order", "review", "birthday", "referral", "join"} <= kinds
    assert any(kind.startswith("social_") for kind in kinds)


def test_rewards_of_strangers_and_of_members(shopper: Shopper, ella: Shopper) -> None:
    public, own = shopper.api("GET", "/rewards").json(), ella.api("GET", "/me/rewards").json()
    assert set(public) == set(own) == {"rewards"}
    assert [reward["id"] for reward in public["rewards"]] == [reward["id"] for reward in own["rewards"]]
    assert "canRedeem" not in public["rewards"][0]
    five_off = own["rewards"][0]
    assert five_off == {
        "id": FIVE_OFF,
        "name": "$5 off your order",
        "kind": "fixed-value",
        "points": 500,
        "value": {"kind": "amount", "amount": {"amount": "5.00", "currencyCode": "USD"}},
        "minimumSpend": {"amount": "30.00", "currencyCode": "USD"},
        "expiresAfterDays": 90,
        "canRedeem": {"state": "ready"},
    }
    assert all(whole(reward["points"]) for reward in own["rewards"])
    by_id = {reward["id"]: reward["canRedeem"] for reward in own["rewards"]}
    assert by_id[FREE_PRODUCT] == {"state": "insufficient_points", "missingPoints": 760}
    assert by_id[GOLD_ONLY] == {"state": "tier_required", "requiredTier": "Gold"}


def test_legal_policies(shopper: Shopper) -> None:
    policies = shopper.api("GET", "/legal-policies").json()
    fields = {"version", "buttonText", "sentenceHtml", "privacyPolicyUrl", "termsAndConditionsUrl", "digest"}
    assert set(policies) == fields
    assert (policies["version"], policies["buttonText"]) == ("2025-03-01", "Accept terms & join")
    assert re.fullmatch(r"[0-9a-f]{64}", policies["digest"])


@pytest.mark.parametrize("path", PUBLIC)
def test_public_data_is_cacheable_and_the_same_for_all(shopper: Shopper, ella: Shopper, path: str) -> None:
    hers, reply = ella.api("GET", path), shopper.api("GET", path)
    assert hers.content == reply.content
    for directive in ("public", "stale-while-revalidate=", "stale-if-error="):
        assert directive in reply.headers["cache-control"]
    assert "set-cookie" not in reply.headers
    assert "cookie" not in reply.headers["vary"].lower()


@pytest.mark.parametrize("path", PUBLIC)
def test_public_data_has_an_etag(shopper: Shopper, path: str) -> None:
    reply = shopper.api("GET", path)
    again = shopper.api("GET", path, if_none_match=reply.headers["etag"])
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", reply.headers["etag"])
    assert shopper.api("GET", path, if_none_match='"another"').status_code == 200


@pytest.mark.parametrize("path", PUBLIC)
def test_public_data_takes_a_locale_a_country_and_a_currency(shopper: Shopper, path: str) -> None:
    assert shopper.api("GET", f"{path}?locale=en&country=US&currency=USD").status_code == 200


@pytest.mark.parametrize("path", [*PUBLIC, "/session", *READS])
def test_H5_unknown_and_repeated_query_parameters_are_refused(ella: Shopper, path: str) -> None:
    for query in ("x=1", "locale=en&locale=fr", "token=shcat_x", "callback=f", "locale[]=en", "%00=1", "=1"):
        reply = ella.api("GET", f"{path}?{query}")
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request"), query
        assert "shcat" not in reply.text


def test_H5_writes_take_no_query(ella: Shopper, vendors: Vendors) -> None:
    for path, body in WRITES.items():
        reply = ella.api("POST", f"{path}?x=1", body, idempotency_key=new_key())
        assert (reply.status_code, code_of(reply)) == (400, "invalid_request")
    assert vendors.calls("redeem") + vendors.calls("referral_request") == []


@pytest.mark.parametrize(("persona", "state"), [("ella", "enrolled"), ("penny", "pending"), ("blake", "blocked")])
def test_the_session_knows_the_members_state(service: Service, vendors: Vendors, persona: str, state: str) -> None:
    shopper = service.signed_in(persona)
    calls = len(vendors.state()["calls"])
    assert shopper.api("GET", "/session").json()["state"] == state
    assert len(vendors.state()["calls"]) == calls, "asking for the state asks no vendor"


def test_a_session_is_handed_in_and_ended(shopper: Shopper, vendors: Vendors) -> None:
    assert shopper.api("GET", "/session").json() == {"state": "anonymous"}
    reply = shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")})
    assert (reply.status_code, reply.json()["state"]) == (201, "enrolled")
    assert shopper.api("GET", "/session").json()["state"] == "enrolled"
    ended = shopper.api("DELETE", "/session")
    assert (ended.status_code, ended.json()) == (200, {})
    assert shopper.api("GET", "/session").json() == {"state": "anonymous"}


def test_the_member(service: Service) -> None:
    answers = {persona: service.signed_in(persona).api("GET", "/me").json() for persona in ("ella", "penny", "tara")}
    assert answers["ella"] == {
        "state": "enrolled",
        "points": {"balance": 1240, "pending": 45, "expiresAt": answers["ella"]["points"]["expiresAt"]},
        "tier": "Bronze",
        "tierEnteredAt": answers["ella"]["enrolledAt"],
        "tierExpiresAt": answers["ella"]["tierExpiresAt"],
        "enrolledAt": answers["ella"]["enrolledAt"],
        "name": "Ella Martin",
    } | {name: answers["ella"][name] for name in ("referralUrl",) if name in answers["ella"]}  # fmt: skip
    assert (answers["penny"]["state"], answers["penny"]["points"]["balance"]) == ("pending", 60)
    assert "tier" not in answers["penny"]
    assert (answers["tara"]["birthday"], answers["tara"]["tier"]) == ({"day": 29, "month": 2}, "Gold")


def test_a_redemption(ella: Shopper) -> None:
    redemption = redeem(ella, FIVE_OFF, KEY).json()
    assert {"key", "state", "reward", "points", "coupon"} <= set(redemption)
    assert set(redemption) <= {"key", "state", "reward", "points", "coupon", "supportReference"}
    assert (redemption["key"], redemption["state"], redemption["points"]) == (KEY, "succeeded", 500)
    assert redemption["reward"] == {"id": FIVE_OFF, "name": "$5 off your order"}
    assert set(redemption["coupon"]) == {"code", "description", "expiresAt", "applyUrl"}
    assert UTC.fullmatch(redemption["coupon"]["expiresAt"])
    assert ella.api("GET", f"/me/redemptions/{KEY}").json() == redemption


def everyone_is_told(shopper: Shopper, status: int, code: str) -> None:
    replies = [shopper.api("GET", path) for path in READS]
    replies += [shopper.api("POST", path, body, idempotency_key=new_key()) for path, body in WRITES.items()]
    for reply in replies:
        path = reply.request.url.path
        assert (path, reply.status_code, code_of(reply)) == (path, status, code)
        assert set(reply.json()) == {"type", "title", "status", "detail", "code", "requestId", "retryable"}
        assert reply.json()["requestId"] == reply.headers["x-request-id"]


def test_without_a_session_one_is_required(shopper: Shopper) -> None:
    everyone_is_told(shopper, 401, "session_required")


def test_with_a_session_that_has_ended_it_has_expired(ella: Shopper) -> None:
    cookie = ella.session_cookie
    assert cookie is not None
    ella.api("DELETE", "/session")
    for value in (cookie, "made-up", cookie[:-1] + ("A" if cookie[-1] != "A" else "B")):
        ella.cookies[COOKIE] = value
        everyone_is_told(ella, 401, "session_expired")


def test_a_blocked_member_is_told_so_everywhere(service: Service, vendors: Vendors) -> None:
    blake = service.signed_in("blake")
    calls = len(vendors.state()["calls"])
    everyone_is_told(blake, 403, "member_blocked")
    assert len(vendors.state()["calls"]) == calls


def test_what_does_not_exist_is_a_problem_too(ella: Shopper) -> None:
    for path in ("/", "/nothing", "/me/nothing", "/rewards//", "/ME", "/me/redemptions", "/openapi.jsonx"):
        reply = ella.api("GET", path)
        assert (path, reply.status_code in {404, 405}) == (path, True)
        assert code_of(reply) in {"not_found", "invalid_request"}


def test_a_problem_names_a_page_of_ours_as_its_type(ella: Shopper, service: Service) -> None:
    problem = ella.api("GET", "/me/redemptions/never-used-by-anybody").json()
    assert problem["type"] == f"{service.url}/problems/not_found"
    assert (problem["title"], problem["status"], problem["retryable"]) == ("Not found", 404, False)


@pytest.mark.parametrize("trouble", ["status:500", "garbage", "html", "cut_before", "status:404", "status:400"])
def test_a_vendor_in_trouble_is_our_trouble_on_every_public_route(
    service: Service, vendors: Vendors, trouble: str
) -> None:
    for path, operation in BEHIND.items():
        vendors.fault(operation, trouble, times=2)
        reply = service.shopper().api("GET", path)
        assert (path, reply.status_code, code_of(reply)) == (path, 502, "upstream_unavailable")
        assert reply.json()["retryable"] is True
