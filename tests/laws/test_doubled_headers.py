"""A header that counts once and comes twice is refused: one reader takes the first, another the last (G4)."""

import httpx2
import pytest
from support.raw_json import is_problem
from support.services import Vendors
from support.shopper import Shopper

# The server itself refuses two hosts and two lengths, before this service sees the request.
ONCE = {
    "origin": "http://localhost:3000",
    "content-type": "application/json",
    "authorization": "Bearer x",
    "idempotency-key": "one-key-for-one-intent",
    "x-loyalty-csrf": "1",
    "sec-fetch-site": "same-origin",
    "x-forwarded-proto": "https",
}
SIGNATURES = (
    "x-subtotal-signature", "x-subtotal-timestamp", "svix-id", "svix-timestamp", "svix-signature",
    "x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-webhook-id",
)  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
def test_G4_a_header_that_counts_once_is_refused_when_it_comes_twice(
    ella: Shopper, vendors: Vendors, name: str
) -> None:
    """Twice the same as well as twice something else, the good one first or last."""
    good = {"origin": ella.base, "x-loyalty-csrf": "1", "content-type": "application/json"}
    good |= {"cookie": f"__Host-Http-loyalty={ella.session_cookie}"}
    value = good.pop(name, ONCE[name])
    for values in ((value, value), (value, "other"), ("other", value), (value, "")):
        headers = [*good.items(), *((name, each) for each in values)]
        with httpx2.Client(headers=headers, trust_env=False) as http:
            reply = http.post(f"{ella.base}/api/v1/me/referrals", json={"email": "friend@example.com"})
        assert is_problem(reply, 400, "invalid_request"), values
    assert vendors.calls("referral_request") == []


@pytest.mark.parametrize("name", SIGNATURES)
def test_G4_a_webhook_with_two_signatures_is_refused(ella: Shopper, name: str) -> None:
    headers = [(name, "x"), (name, "x")]
    for vendor in ("subtotal", "okendo", "shopify"):
        reply = httpx2.post(f"{ella.base}/webhooks/{vendor}", content=b"{}", headers=headers, trust_env=False)
        assert is_problem(reply, 400, "invalid_request"), vendor
