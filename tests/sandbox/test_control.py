"""The control API does what tests and demos rely on: faults, clock, policies, call log, reset."""

import base64
import os
import socket
import subprocess
import sys
import time
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from support import sandbox_client
from support.concurrency import until
from support.sandbox_client import CONFIG, Sandbox

from bff.devstack.stack import environment, sandbox_environment
from bff.sandbox.config import Config, from_environment
from bff.sandbox.json import POLYGLOT
from bff.sandbox.okendo import program
from bff.sandbox.serving import serve

served, sandbox = sandbox_client.served, sandbox_client.sandbox

OPERATIONS = [
    "earning_rules", "redemption_rules", "vip_program", "faqs", "legal_policies", "login", "customer",
    "customer_activation", "customer_earning_rules", "trigger", "birthday", "customer_redemption_rules",
    "redeem", "transactions", "spend", "referral_request", "referrals", "referral_count", "referral_sender",
    "merchant_customer", "merchant_earning_rules", "merchant_redemption_rules", "earning_transactions",
    "shopify_discovery", "shopify_authorize", "shopify_token", "shopify_jwks", "shopify_logout",
    "shopify_graphql", "storefront_graphql", "subtotal_connections", "subtotal_purchases",
    "subtotal_account", "subtotal_link_tokens", "subtotal_link", "subtotal_retailers", "subtotal_webhooks",
    "subtotal_simulator",
]  # fmt: skip
SUBTOTAL = {"x-api-key": CONFIG.subtotal_api_key}


def redeem(sandbox: Sandbox, token: str) -> httpx2.Response:
    return sandbox.loyalty(token, "POST", "redemptions", json={"redemptionRuleId": program.FIVE_OFF})


def redemptions(sandbox: Sandbox) -> int:
    return len(sandbox.member("ella")["redemptions"])


def test_the_sandbox_says_what_is_here(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/healthz").text == "ok"
    page = sandbox.http.get("/").text
    assert all(word in page for word in ("ella", "رامي", sandbox.url, CONFIG.okendo_user_id, "earning_transactions"))
    assert CONFIG.okendo_api_key not in page


def test_a_wrong_path_is_named(sandbox: Sandbox) -> None:
    reply = sandbox.http.get("/v1/loyalty/nothing")
    assert reply.status_code == 404
    assert "/v1/loyalty/nothing" in reply.json()["error"]["description"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_of_the_list_takes_faults(sandbox: Sandbox, operation: str) -> None:
    sandbox.fault(operation, "status:500")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operation": "unknown", "kind": "delay", "seconds": 1},
        {"operation": "redeem", "kind": "unknown"},
        {"operation": "redeem", "kind": "status"},
        {"operation": "redeem", "kind": "status:200"},
        {"operation": "redeem", "kind": "cut_after:1"},
        {"operation": "redeem", "kind": "delay", "seconds": "1"},
        {"operation": "redeem", "kind": "html", "times": 0},
        {"operation": "redeem", "kind": "html", "times": True},
    ],
)
def test_a_fault_that_does_not_exist_is_refused_with_the_reason(sandbox: Sandbox, body: dict[str, object]) -> None:
    reply = sandbox.http.post("/_control/faults", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_status_fault_answers_that_status_and_does_nothing(sandbox: Sandbox, status: int) -> None:
    token = sandbox.login("ella")
    sandbox.fault("redeem", f"status:{status}")
    reply = redeem(sandbox, token)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, "sandbox_fault")
    assert redemptions(sandbox) == 0


def test_a_status_fault_may_carry_retry_after(sandbox: Sandbox) -> None:
    sandbox.fault("faqs", "status:429", retryAfter=7)
    assert sandbox.store("GET", "loyalty/faqs").headers["retry-after"] == "7"


def test_a_token_endpoint_fault_looks_like_the_vendors_transient_one(sandbox: Sandbox) -> None:
    sandbox.fault("shopify_token", "status:401")
    reply = sandbox.refresh("shcrt_any")
    assert (reply.status_code, reply.json()["error"]) == (401, "")


@pytest.mark.parametrize(("kind", "effects"), [("cut_before", 0), ("cut_after", 1)])
def test_a_cut_connection_ends_without_a_byte_before_or_after_the_effect(
    sandbox: Sandbox, kind: str, effects: int
) -> None:
    token = sandbox.login("ella")
    sandbox.fault("redeem", kind)
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        redeem(sandbox, token)
    assert redemptions(sandbox) == effects
    assert sandbox.state()["calls"][-1]["status"] is None
    assert redeem(sandbox, token).status_code == 200


def test_a_cut_connection_carries_no_bytes_at_all(sandbox: Sandbox) -> None:
    sandbox.fault("shopify_jwks", "cut_after")
    host, _, port = sandbox.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"GET /authentication/.well-known/jwks.json HTTP/1.1\r\nhost: sandbox\r\n\r\n")
        assert raw.recv(1) == b""


@pytest.mark.parametrize(
    ("kind", "content_type"), [("garbage", "application/json"), ("html", "text/html; charset=utf-8")]
)
def test_a_lying_reply_hides_an_effect_that_happened(sandbox: Sandbox, kind: str, content_type: str) -> None:
    token = sandbox.login("ella")
    sandbox.fault("redeem", kind)
    reply = redeem(sandbox, token)
    assert (reply.status_code, reply.headers["content-type"]) == (200, content_type)
    with pytest.raises(ValueError, match=r"."):
        reply.json()
    assert redemptions(sandbox) == 1


def test_an_empty_reply_is_a_success_that_says_nothing(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    sandbox.fault("redeem", "empty")
    reply = redeem(sandbox, token)
    assert (reply.status_code, reply.json(), redemptions(sandbox)) == (200, {}, 1)


def test_a_huge_reply_is_eight_mebibytes_of_json(sandbox: Sandbox) -> None:
    sandbox.fault("faqs", "huge")
    reply = sandbox.store("GET", "loyalty/faqs")
    assert len(reply.content) >= 8 * 1024 * 1024
    assert reply.json()["padding"]


def test_a_redirect_fault_points_to_a_place_nobody_may_go(sandbox: Sandbox) -> None:
    sandbox.fault("customer", "redirect")
    reply = sandbox.loyalty(sandbox.login("ella"), "GET", "customer")
    assert (reply.status_code, reply.headers["location"]) == (302, "http://169.254.169.254/")


def test_a_cookie_fault_adds_a_cookie_to_the_genuine_answer(sandbox: Sandbox) -> None:
    sandbox.fault("faqs", "set_cookie")
    reply = sandbox.store("GET", "loyalty/faqs")
    assert "set-cookie" in reply.headers
    assert reply.json()["faqs"]


def test_a_delay_takes_three_seconds_unless_it_is_told(sandbox: Sandbox) -> None:
    assert sandbox.http.post("/_control/faults", json={"operation": "faqs", "kind": "delay"}).is_success
    reply = sandbox.store("GET", "loyalty/faqs")
    assert (reply.status_code, reply.elapsed.total_seconds() >= 3) == (200, True)


@pytest.mark.parametrize("kind", ["delay", "delay_after"])
def test_a_delayed_call_still_has_its_effect(sandbox: Sandbox, kind: str) -> None:
    token = sandbox.login("ella")
    sandbox.fault("redeem", kind, seconds=0.05)
    reply = redeem(sandbox, token)
    assert reply.elapsed.total_seconds() >= 0.05
    assert (reply.status_code, redemptions(sandbox)) == (200, 1)


def test_faults_are_met_one_a_call_in_the_order_they_were_given(sandbox: Sandbox) -> None:
    sandbox.fault("faqs", "status:500", times=2)
    sandbox.fault("vip_program", "status:418")
    sandbox.fault("faqs", "status:503")
    assert [sandbox.store("GET", "loyalty/faqs").status_code for _ in range(4)] == [500, 500, 503, 200]
    assert sandbox.store("GET", "loyalty/vip_program").status_code == 418


def test_faults_can_be_called_off(sandbox: Sandbox) -> None:
    sandbox.fault("faqs", "status:500", times=99)
    assert sandbox.http.delete("/_control/faults").json() == {"faults": []}
    assert sandbox.store("GET", "loyalty/faqs").status_code == 200


def test_every_vendor_call_is_written_down_with_its_headers(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    sandbox.loyalty(token, "GET", "transactions?limit=3", headers={"X-Odd": "Value"})
    call = sandbox.state()["calls"][-1]
    expected = {"vendor": "okendo", "operation": "transactions", "method": "GET", "status": 200, "query": "limit=3"}
    assert call | expected | {"path": "/v1/loyalty/transactions"} == call
    assert call["headers"]["authorization"] == f"Bearer {token}"
    assert call["headers"]["x-odd"] == "Value"


def test_policies_can_be_changed_while_people_read(sandbox: Sandbox) -> None:
    sandbox.control("policies", version="2026-01-01", html="<p>New terms</p>")
    policies = sandbox.store("GET", "loyalty/legal_policies").json()["legalPolicies"]
    assert (policies["version"], policies["policySentence"]["html"]) == ("2026-01-01", "<p>New terms</p>")
    assert sandbox.state()["policies"] == {"version": "2026-01-01"}


@pytest.mark.parametrize(
    ("order", "body"),
    [
        ("policies", {"version": True}),
        ("policies", {"html": 7}),
        ("clock", {}),
        ("clock", {"advance": "1"}),
        ("clock", {"advance": 1e300}),
        ("clock", {"rate": 0}),
        ("clock", {"rate": -1}),
        ("clock", {"rate": 10_001}),
        ("clock", {"rate": True}),
        ("clock", {"rate": "2"}),
        ("clock", {"rate": 2, "advance": "1"}),
        ("member", {"persona": "ella", "state": "gone"}),
        ("member", {"persona": "ella", "refused": "no"}),
        ("member", {"persona": "mallory", "state": "blocked"}),
        ("webhooks", {"subtotal": "nowhere"}),
        ("webhooks", {"okendo": 7}),
        ("webhooks", {"okendo": "ftp://example.com"}),
        ("webhooks", {"simulated": "yes"}),
        ("texts", {}),
        ("history/order", {}),
        ("history/order", {"reversed": "yes"}),
        ("dialect", {"unknown": {}}),
        ("dialect", {"shopify_token": {}}),
        ("dialect", {"redeem": "otherwise"}),
        ("dialect", {"redeem": {"status": 200}}),
        ("dialect", {"redeem": {"method": "SEND"}}),
        ("dialect", {"redeem": {"path": "/loyalty/claims"}}),
        ("dialect", {"redeem": {"envelope": 1}}),
        ("dialect", {"redeem": {"names": ["code"]}}),
        ("pages", {}),
        ("pages", {"dead_end": 1}),
        ("keys", {}),
        ("keys", {"kid": ""}),
        ("browsers", {}),
        ("browsers", {"remembers": "yes"}),
        ("token", {"persona": "mallory"}),
        ("token", {"persona": "ella", "kind": "unknown"}),
        ("token", {"persona": "ella", "shop": "unknown"}),
        ("subtotal/purchase", {"persona": "ella", "retailer": "walmart", "total": "1.999"}),
        ("subtotal/purchase", {"persona": "ella", "retailer": "walmart", "total": "many"}),
        ("subtotal/purchase", {"persona": "ella", "retailer": "walmart", "total": 1, "date": "yesterday"}),
        ("subtotal/link", {"persona": "ella"}),
        ("subtotal/link", {"persona": "ella", "retailer": "walmart", "purchases": 2}),
        ("subtotal/link", {"persona": "ella", "retailer": "walmart", "purchases": [{"date": "2026-01-01"}]}),
        ("subtotal/status", {"persona": "ella", "retailer": "walmart", "status": "active"}),
        ("subtotal/status", {"persona": "ella", "retailer": "walmart", "status": "blocked"}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_the_reason(
    sandbox: Sandbox, order: str, body: dict[str, object]
) -> None:
    reply = sandbox.http.post(f"/_control/{order}", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]
    state = sandbox.state()
    assert (state["clock"]["rate"], state["clock"]["offsetSeconds"]) == (1, 0)
    assert state["subtotal"]["connections"] == []


def now(sandbox: Sandbox) -> datetime:
    return datetime.fromisoformat(sandbox.state()["clock"]["now"])


def test_the_clock_may_run_faster_and_still_be_moved_until_the_reset(sandbox: Sandbox) -> None:
    began, started = time.monotonic(), now(sandbox)
    sandbox.control("clock", rate=5000)
    until(lambda: now(sandbox) - started > timedelta(minutes=10))
    # Not faster than it was told to be.
    assert (now(sandbox) - started).total_seconds() < (time.monotonic() - began) * 5000 + 2
    sandbox.control("clock", rate=1)
    slow = now(sandbox)
    assert timedelta(minutes=10) < slow - started < timedelta(hours=12)
    sandbox.control("clock", advance=86_400)
    assert timedelta(days=1) <= now(sandbox) - slow < timedelta(days=1, hours=1)
    sandbox.control("clock", rate=10)
    sandbox.control("reset")
    assert abs((now(sandbox) - datetime.now(UTC)).total_seconds()) < 30
    assert sandbox.state()["clock"]["rate"] == 1


def test_a_merchant_blocks_and_unblocks(sandbox: Sandbox) -> None:
    token = sandbox.login("tara")
    assert sandbox.control("member", persona="tara", state="blocked")["state"] == "blocked"
    assert sandbox.loyalty(token, "GET", "customer").status_code == 403
    sandbox.control("member", persona="tara", refused=False)
    told = sandbox.loyalty(token, "GET", "customer")
    assert (told.status_code, told.json()["loyaltyCustomer"]["status"]) == (200, "blocked")
    sandbox.control("member", persona="tara", state="enrolled")
    customer = sandbox.loyalty(token, "GET", "customer").json()["loyaltyCustomer"]
    assert (customer["status"], customer["vipTierName"]) == ("enrolled", "Gold")


def test_a_tier_that_is_reached_is_entered_now(sandbox: Sandbox) -> None:
    before = sandbox.loyalty(sandbox.login("ella"), "GET", "customer").json()["loyaltyCustomer"]
    sandbox.control("member", persona="ella", tier="Silver")
    after = sandbox.loyalty(sandbox.login("ella"), "GET", "customer").json()["loyaltyCustomer"]
    assert (before["vipTierEntryDate"], after["vipTierName"]) == (before["dateEnrolled"], "Silver")
    assert after["vipTierEntryDate"] > after["dateEnrolled"] == before["dateEnrolled"]


def test_only_those_who_joined_are_in_a_tier(sandbox: Sandbox) -> None:
    sandbox.control("member", persona="blake", state="enrolled")
    customer = sandbox.loyalty(sandbox.login("blake"), "GET", "customer").json()["loyaltyCustomer"]
    assert customer["vipTierName"] == "Bronze"
    sandbox.control("member", persona="blake", state="pending")
    customer = sandbox.loyalty(sandbox.login("blake"), "GET", "customer").json()["loyaltyCustomer"]
    assert (customer["status"], "vipTierName" in customer) == ("pending", False)


def test_a_reset_makes_everything_new_but_the_keys(sandbox: Sandbox) -> None:
    token, keys = sandbox.login("ella"), sandbox.http.get("/authentication/.well-known/jwks.json").json()
    redeem(sandbox, token)
    sandbox.control("policies", version="other")
    sandbox.control("clock", advance=60)
    sandbox.control("texts", hostile=True)
    sandbox.fault("faqs", "status:500")
    sandbox.control("reset")
    state = sandbox.state()
    assert (state["calls"], state["faults"], state["policies"]) == ([], [], {"version": "2025-03-01"})
    assert state["clock"]["offsetSeconds"] == 0
    assert (state["members"]["ella"]["balance"], state["members"]["ella"]["redemptions"]) == (1240, [])
    assert sandbox.loyalty(token, "GET", "customer").status_code == 401
    assert POLYGLOT not in sandbox.store("GET", "loyalty/faqs").text
    assert sandbox.http.get("/authentication/.well-known/jwks.json").json() == keys


def test_hostile_texts_reach_every_text_and_keep_names_the_same_everywhere(sandbox: Sandbox) -> None:
    sandbox.control("texts", hostile=True)
    token = sandbox.login("tara")
    tiers = sandbox.store("GET", "loyalty/vip_program").json()["vipProgram"]["tiers"]
    customer = sandbox.loyalty(token, "GET", "customer").json()["loyaltyCustomer"]
    assert customer["vipTierName"] == tiers[2]["name"] == f"Gold{POLYGLOT}"
    assert (
        "<script>" in sandbox.store("GET", "loyalty/legal_policies").json()["legalPolicies"]["policySentence"]["html"]
    )
    urls = {rule.get("url") for rule in sandbox.loyalty(token, "GET", "earning_rules").json()["rules"]}
    assert urls == {None, "javascript:alert(document.domain)//"}
    name = sandbox.graphql(sandbox.sign_in("tara")["access_token"], "{ customer { firstName } }").json()
    assert name["data"]["customer"]["firstName"] == f"Tara{POLYGLOT}"
    assert redeem(sandbox, token).json()["coupon"]["code"].startswith("OKE-")


def test_a_linked_retailer_and_its_purchase_are_seen_through_the_api(sandbox: Sandbox) -> None:
    connection = sandbox.control("subtotal/link", persona="ella", retailer="walmart")
    purchase = sandbox.control("subtotal/purchase", persona="ella", retailer="walmart", total="42.50")
    customer_id = sandbox.member("ella")["customerId"]
    listed = sandbox.http.get("/connections", params={"customer_id": customer_id}, headers=SUBTOTAL).json()
    assert listed["connections"] == [connection]
    assert (connection["status"], connection["email"]) == ("active", "ella@example.com")
    path = f"/connections/{connection['connection_id']}/token"
    token = sandbox.http.post(path, json={"scope": "access"}, headers=SUBTOTAL).json()["connection_token"]
    opened = SUBTOTAL | {"authorization": f"Bearer {token}"}
    purchases = sandbox.http.get("/purchases", headers=opened).json()
    assert (purchases["has_more"], purchases["purchases"][0]["total"]) == (False, "42.50")
    assert sandbox.http.get(f"/purchases/{purchase['purchase_id']}", headers=opened).json() == purchase
    events = [event["type"] for event in sandbox.state()["subtotal"]["events"]]
    assert events == ["connection.activated", "purchase.created"]


def test_a_purchase_links_the_retailer_first(sandbox: Sandbox) -> None:
    sandbox.control("subtotal/purchase", persona="zoe", retailer="target", total=9.5)
    remembered = sandbox.state()["subtotal"]
    assert [one["retailer_id"] for one in remembered["connections"]] == ["target"]
    assert [one["total"] for one in remembered["purchases"]] == ["9.50"]


def test_subtotal_needs_its_key_and_refuses_long_texts(sandbox: Sandbox) -> None:
    assert sandbox.http.get("/connections?customer_id=1").status_code == 401
    body = {"customer_id": "1", "retailer_id": "walmart", "email": f"{'a' * 60}@example.com"}
    reply = sandbox.http.post("/connections", json=body, headers=SUBTOTAL)
    assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", "email"])


def test_a_connection_is_made_changed_and_deleted(sandbox: Sandbox) -> None:
    body = {"customer_id": "1", "retailer_id": "walmart"}
    made = sandbox.http.post("/connections", json=body, headers=SUBTOTAL)
    path = f"/connections/{made.json()['connection_id']}"
    assert (made.status_code, made.json()["status"], made.json()["email"]) == (201, "initialized", None)
    changed = sandbox.http.patch(path, json={"email": "a@example.com"}, headers=SUBTOTAL).json()
    assert sandbox.http.get(path, headers=SUBTOTAL).json() == changed == made.json() | {"email": "a@example.com"}
    assert sandbox.http.delete(path, headers=SUBTOTAL).status_code == 204
    assert sandbox.http.get(path, headers=SUBTOTAL).status_code == 404


def test_a_link_token_is_idempotent_listed_without_its_text_and_revoked(sandbox: Sandbox) -> None:
    headers = SUBTOTAL | {"x-subtotal-idempotency-key": "one"}
    first, again = (sandbox.http.post("/link-tokens", json={"customer_id": "1"}, headers=headers) for _ in range(2))
    token = first.json()["link_token"]
    assert (first.status_code, again.json()["link_token"], len(token)) == (201, token, 49)
    listed = sandbox.http.get("/link-tokens?customer_id=1&status=active", headers=SUBTOTAL)
    assert len(listed.json()["link_tokens"]) == 1
    assert token not in listed.text
    assert sandbox.http.delete(f"/link-tokens/{token}", headers=SUBTOTAL).status_code == 204
    assert sandbox.http.get("/link-tokens?customer_id=1&status=active", headers=SUBTOTAL).json() == {"link_tokens": []}


def test_the_sandbox_runs_on_a_socket_of_the_callers_with_a_public_address() -> None:
    config = Config(url="https://shop.example.com")
    with socket.create_server(("127.0.0.1", 0)) as listener, serve(config, listener) as url:
        found = httpx2.get(f"{url}/.well-known/openid-configuration", trust_env=False).json()
    assert found["jwks_uri"].startswith("https://shop.example.com/")


def test_the_sandbox_runs_as_a_program_configured_by_its_environment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {"SANDBOX_PORT": str(port), "SHOPIFY_CLIENT_ID": "mine", "SHOPIFY_CLIENT_SECRET": "s", "OKENDO_USER_ID": "u"}
    command = [sys.executable, "-m", "bff.sandbox"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env=os.environ | env, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            assert f"http://localhost:{port}" in process.stdout.readline()
            transport = httpx2.HTTPTransport(retries=8)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as http:
                form = {"grant_type": "refresh_token", "refresh_token": "x"}
                refused = http.post("/authentication/oauth/token", data=form, auth=("mine", "s"))
                assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
                http.post("/_control/faults", json={"operation": "faqs", "kind": "cut_before"})
                with pytest.raises(httpx2.RemoteProtocolError):
                    http.get("/v1/stores/u/loyalty/faqs")
        finally:
            process.terminate()


def test_in_another_dialect_the_usual_way_is_gone_until_the_reset(sandbox: Sandbox) -> None:
    token = sandbox.login("ella")
    sandbox.control(
        "dialect",
        redeem={
            "method": "PUT",
            "path": "/v1/loyalty/claims/new",
            "names": {"redemptionRuleId": "gift", "code": "word"},
            "envelope": "result",
        },
    )
    assert redeem(sandbox, token).status_code == 404
    rule = {"redemptionRuleId": program.FIVE_OFF}
    assert sandbox.loyalty(token, "PUT", "claims/new", json=rule).status_code == 400
    reply = sandbox.loyalty(token, "PUT", "claims/new", json={"gift": program.FIVE_OFF})
    assert reply.json()["result"]["coupon"]["word"].startswith("OKE-")
    assert redemptions(sandbox) == 1
    call = sandbox.state()["calls"][-1]
    assert (call["operation"], call["method"], call["path"]) == ("redeem", "PUT", "/v1/loyalty/claims/new")
    sandbox.control("reset")
    assert redeem(sandbox, sandbox.login("ella")).status_code == 200


def test_what_make_run_starts_knows_where_each_other_is() -> None:
    service = environment(8000, 8001, "", "") | {"BASE_PATH": "/loyalty"}
    config = from_environment(sandbox_environment(service), 1)
    assert config.subtotal_webhook_url == "http://localhost:8000/loyalty/webhooks/subtotal"
    assert config.okendo_webhook_url == "http://localhost:8000/loyalty/webhooks/okendo"
    assert config.okendo_webhook_secret == service["OKENDO_WEBHOOK_SECRET"]
    assert len(base64.b64decode(config.okendo_webhook_secret.removeprefix("whsec_"), validate=True)) == 32
    assert (config.subtotal_simulated, service["SUBTOTAL_SIMULATED_EVENTS"]) == (True, "on")
    assert service["SUBTOTAL_LINK_URL"] == f"{config.url}/link"


def test_the_actions_of_make_run_are_custom_rules_for_all_retailers() -> None:
    linking, buying = tomllib.loads(environment(8000, 8001, "", "")["SUBTOTAL_ACTIONS"])["actions"]
    assert (linking["event"], linking["earning_rule_id"]) == ("account.linked", program.LINK_RETAILER)
    assert (buying["event"], buying["earning_rule_id"]) == ("purchase.created", program.RETAIL_PURCHASE)
    assert set(linking) == {"event", "name", "earning_rule_id"}
    assert set(buying) - set(linking) == {"start_date"}
    assert buying["start_date"] == date(2020, 1, 1)


def test_nobody_listens_unless_the_environment_says_so() -> None:
    config = from_environment({}, 8001)
    assert (config.subtotal_webhook_url, config.okendo_webhook_url, config.subtotal_simulated) == ("", "", False)


@pytest.mark.parametrize("circle", [1, 2, 3])
def test_lists_can_be_made_to_go_in_circles(sandbox: Sandbox, circle: int) -> None:
    sandbox.control("history", persona="ella", lines=100)
    token = sandbox.login("ella")
    sandbox.control("pages", circle=circle)
    url, seen = "/loyalty/transactions?limit=10", []
    for _ in range(2 * circle + 1):
        page = sandbox.loyalty(token, "GET", url.removeprefix("/loyalty/")).json()
        seen.append(page["transactions"][0]["loyaltyTransactionId"])
        url = page["nextUrl"]
    assert len(set(seen)) == circle + 1
    assert seen[1:] == seen[1 : circle + 1] * 2


def test_the_ladder_can_be_shorter_than_the_tiers_members_are_in(sandbox: Sandbox) -> None:
    def told() -> list[str]:
        reply = sandbox.store("GET", "loyalty/vip_program")
        return [tier["name"] for tier in reply.json()["vipProgram"]["tiers"]]

    assert told() == ["Bronze", "Silver", "Gold"]
    sandbox.control("tiers", told=["Bronze"])
    assert told() == ["Bronze"]
    sandbox.control("tiers", told=[])
    assert told() == []


def test_any_text_can_be_told_even_half_of_a_surrogate_pair(sandbox: Sandbox) -> None:
    sandbox.control("words", title='"cut off \\ud83d"', question='""')
    rules = sandbox.store("GET", "loyalty/redemption_rules").json()["rules"]
    assert {rule["title"] for rule in rules} == {"cut off \ud83d"}
    assert {faq["question"] for faq in sandbox.store("GET", "loyalty/faqs").json()["faqs"]} == {""}
    for words in ({"title": "no quotes"}, {"title": "7"}, {"title": 7}, {"title": '"\u00e9"'}):
        assert sandbox.http.post("/_control/words", json=words).status_code == 400
    sandbox.control("words")
    assert sandbox.store("GET", "loyalty/redemption_rules").json()["rules"] != rules
