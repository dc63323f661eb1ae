"""What the vendors see of us: headers of our own making nothing that a browser, a cookie or the environment said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.services import Service, Start, Vendors, as_process
from support.shopper import COOKIE, Shopper
from support.vendor_faults import answer, trouble

FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
CANARY = "canary-7f3a"
# Forty headers that a browser or somebody between us and it may send.
NAMES = (
    "authorization", "proxy-authorization", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-user", "x-forwarded-email", "x-forwarded-access-token",
    "x-real-ip", "x-client-ip", "x-original-url", "x-rewrite-url", "x-original-host", "x-host", "true-client-ip",
    "cf-connecting-ip", "fastly-client-ip", "via", "from", "referer", "x-http-method-override", "x-method-override",
    "x-api-key", "x-auth-token", "x-access-token", "x-shopify-access-token", "x-shopify-storefront-access-token",
    "okendo-partner-id", "okendo-api-version", "x-okendo-user", "tracestate", "baggage", "x-b3-traceid",
    "x-amzn-trace-id", "x-cloud-trace-context", "user-agent", "accept-language", "if-none-match",
)  # fmt: skip
HOSTILE: Mapping[str, str] = {name: f"{CANARY}-{number}" for number, name in enumerate(NAMES)} | {
    "forwarded": f"for={CANARY};host={CANARY}",
    "traceparent": "00-cafe7f3acafe7f3acafe7f3acafe7f3a-cafe7f3acafe7f3a-01",
    "x_forwarded_for": CANARY,
    "okendo_partner_id": CANARY,
    "connection": "okendo-api-version, keep-alive",
    "accept-encoding": "br",
    "range": "bytes=0-1",
    "te": "trailers",
}
ALWAYS = {"host", "accept", "accept-encoding", "user-agent", "traceparent"}
MAY = {
    "okendo": ALWAYS | {"authorization", "okendo-api-version", "okendo-partner-id", "content-type", "content-length"},
    "shopify": ALWAYS
    | {"authorization", "origin", "content-type", "content-length", "x-shopify-storefront-access-token"},
}


def journey(shopper: Shopper, **headers: str) -> None:
    """Everything that makes a vendor call for a member, with these headers on every request."""
    for path in ("/", "/rewards", f"/rewards/{FIVE_OFF}", "/refer", "/join"):
        shopper.request("GET", path, headers=headers)
    for path in ("/program", "/legal-policies", "/me", "/me/rewards", "/me/referrals"):
        assert shopper.api("GET", path, **headers).status_code == 200
    body = {"rewardId": FIVE_OFF}
    key = "an-intent-of-a-member"
    assert shopper.api("POST", "/me/redemptions", body, **{**headers, "idempotency-key": key}).status_code == 201
    assert shopper.api("POST", "/me/referrals", {"email": "friend@example.org"}, **headers).status_code == 202


def vendor_calls(vendors: Vendors) -> list[Any]:
    """Calls of the service; the authorize page is fetched by the shopper's own browser."""
    return [call for call in vendors.state()["calls"] if call["operation"] != "shopify_authorize"]


def test_G3_no_header_of_a_browser_reaches_a_vendor(service: Service, vendors: Vendors) -> None:
    assert len(HOSTILE) >= 40
    ella = service.signed_in("ella")
    ella.cookies["theirs"] = CANARY
    token = vendors.token("tara")
    reply = service.shopper().api("POST", "/session", {"customerAccessToken": token}, **HOSTILE)
    assert reply.status_code == 201
    ella.request("GET", "/login", headers=HOSTILE)
    journey(ella, **HOSTILE)
    calls = vendor_calls(vendors)
    assert len(calls) > 15
    for call in calls:
        assert set(call["headers"]) <= MAY[call["vendor"]], call["operation"]
        said = str(call).lower()
        assert CANARY not in said
        assert "cafe7f3a" not in said
        assert ella.cookies[COOKIE] not in str(call)


def test_G3_what_we_say_is_the_same_whoever_asks(service: Service, vendors: Vendors) -> None:
    """The headers of a call depend on its operation and on the member's token, on nothing else."""
    journey(service.signed_in("ella"))
    plain = {call["operation"]: without_token(call) for call in vendor_calls(vendors)}
    vendors.reset()
    service.clock.advance(90_000)
    journey(service.signed_in("tara"), **HOSTILE)
    assert {call["operation"]: without_token(call) for call in vendor_calls(vendors)} == plain


def without_token(call: Any) -> dict[str, str]:
    headers = dict(call["headers"])
    for own in ("content-length", "traceparent"):
        headers.pop(own, None)
    return headers | {"authorization": headers.get("authorization", "").partition(" ")[0][:6]}


def test_every_okendo_call_names_its_version_and_its_partner(service: Service, vendors: Vendors) -> None:
    journey(service.signed_in("ella"))
    calls = [call for call in vendor_calls(vendors) if call["vendor"] == "okendo"]
    assert {call["headers"]["okendo-api-version"] for call in calls} == {"2025-02-01"}
    assert {call["headers"]["okendo-partner-id"] for call in calls} == {service.settings["OKENDO_PARTNER_ID"]}
    assert {call["headers"]["accept"] for call in calls} == {"application/json"}
    assert all("/stores/" in call["path"] or call["headers"]["authorization"].startswith("Bearer ") for call in calls)
    assert not any("authorization" in call["headers"] for call in calls if "/stores/" in call["path"])


def test_joining_sends_the_partner_as_header_too(service: Service, vendors: Vendors) -> None:
    penny = service.signed_in("penny")
    penny.submit(penny.get("/join"), "/join")
    (call,) = vendors.calls("customer_activation")
    (enrolment,) = vendors.member("penny")["enrolments"]
    assert call["headers"]["okendo-partner-id"] == enrolment["channel"] == service.settings["OKENDO_PARTNER_ID"]


def test_every_shopify_call_names_its_origin_and_itself(service: Service, vendors: Vendors) -> None:
    """Shopify refuses token and GraphQL calls without them."""
    ella = service.signed_in("ella")
    service.clock.advance(4000)
    ella.api("GET", "/me")
    ella.submit(ella.get("/"), "/logout")
    calls = [call for call in vendor_calls(vendors) if call["vendor"] == "shopify"]
    operations = {"shopify_discovery", "shopify_token", "shopify_jwks", "shopify_graphql"}
    assert {call["operation"] for call in calls} == operations
    for call in calls:
        assert call["headers"]["origin"] == service.url, call["operation"]
        assert call["headers"]["user-agent"].strip(), call["operation"]


def test_the_origin_has_no_path_even_when_the_service_has_one(start: Start, vendors: Vendors) -> None:
    service = start(BASE_PATH="/loyalty")
    shopper = Shopper(service.url)
    reply = shopper.request("GET", "/loyalty/login")
    shopper.close()
    assert reply.status_code == 302
    assert {call["headers"]["origin"] for call in vendor_calls(vendors)} == {service.url}


def test_shopify_gets_its_own_token_bare_and_okendo_gets_its_own(service: Service, vendors: Vendors) -> None:
    """Each vendor is shown what it issued; only the login hands Shopify's token to Okendo, in the body."""
    journey(service.signed_in("ella"))
    for call in vendor_calls(vendors):
        shown = call["headers"].get("authorization", "")
        if call["operation"] == "shopify_graphql":
            assert shown.startswith("shcat_")
        elif call["vendor"] == "okendo":
            assert "shcat_" not in str(call)
            assert not shown or shown.startswith("Bearer eyJ")
        assert "shcat_" not in call["path"] + call["query"]
        assert "eyJ" not in call["path"] + (call["query"] if call["operation"] != "shopify_logout" else "")


@pytest.mark.parametrize(
    "operation", ["login", "customer", "customer_redemption_rules", "shopify_token", "shopify_graphql"]
)
def test_G5_a_cookie_that_a_vendor_sets_for_one_shopper_is_sent_for_nobody(
    service: Service, vendors: Vendors, operation: str
) -> None:
    with trouble(vendors, operation, "set_cookie"):
        ella = service.signed_in("ella")
        assert ella.api("GET", "/me/rewards").status_code == 200
    assert vendors.calls(operation)[0]["status"] == 200
    tara = service.signed_in("tara")
    for shopper in (ella, tara):
        journey(shopper)
        assert not [reply for reply in shopper.replies if "vendor_session" in str(reply.headers)]
    assert not [call for call in vendor_calls(vendors) if "cookie" in call["headers"]]


@pytest.mark.parametrize(
    ("operation", "path"),
    [("customer", "/me"), ("earning_rules", "/program"), ("customer_redemption_rules", "/me/rewards")],
)
def test_G6_a_redirect_of_a_vendor_is_an_error_and_is_not_followed(
    ella: Shopper, service: Service, vendors: Vendors, operation: str, path: str
) -> None:
    service.clock.advance(4000)
    ella.api("GET", "/session")
    before = len(vendors.calls(operation))
    with trouble(vendors, operation, "redirect"):
        reply = ella.api("GET", path)
    assert answer(reply) == (502, "upstream_unavailable")
    assert "location" not in reply.headers
    assert len(vendors.calls(operation)) == before + 1, "one call, and no second one anywhere"


def test_G7_headers_of_a_vendor_stay_outside(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    with trouble(vendors, "customer", "set_cookie"):
        reply = ella.api("GET", "/me")
    assert "set-cookie" not in reply.headers
    assert "server" not in reply.headers
    assert reply.headers["content-length"] == str(len(reply.content))


def test_G12_a_proxy_in_the_environment_is_not_used(settings: dict[str, str], logfile: Path, vendors: Vendors) -> None:
    """The proxy named there does not exist: using it would make every vendor call fail."""
    nowhere = "http://127.0.0.1:9"
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    with as_process(settings, logfile, NO_PROXY="", no_proxy="", **dict.fromkeys(names, nowhere)) as service:
        journey(service.signed_in("ella"))
    assert len(vendor_calls(vendors)) > 10


def test_G1_an_id_from_a_browser_opens_no_other_address_at_the_vendor(ella: Shopper, vendors: Vendors) -> None:
    known = {(call["method"], call["path"]) for call in vendor_calls(vendors)}
    for bad in ("%2e%2e", "%2e%2e%2f", "%00", "%5c", "%252e%252e", "..%2f..%2fcustomer", "x" * 129, "%0d%0a"):
        assert ella.request("GET", f"/rewards/{bad}").status_code in {400, 404}
        assert ella.api("GET", f"/me/redemptions/{bad}").status_code in {400, 404}
        reply = ella.api("POST", "/me/redemptions", {"rewardId": bad}, idempotency_key="an-intent-of-ella-1")
        assert reply.status_code in {400, 404}
    reads = {("GET", f"/v1/loyalty/{name}") for name in ("redemption_rules", "customer", "transactions")}
    rules = {call["path"] for call in vendor_calls(vendors)} - {path for _, path in known | reads}
    assert {path.rpartition("/")[2] for path in rules} <= {"vip_program", "earning_rules", "redemption_rules"}
