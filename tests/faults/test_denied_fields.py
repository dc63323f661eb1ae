"""A merchant who has not granted every field of a customer: who signs in is signed in, without what was not told."""

import json

import pytest
from support.processes import bff
from support.sandbox_catalogue import code_of
from support.services import Log, Service, Start, Vendors
from support.vendor_faults import answer, is_signed_in

DONE = (201, "")


def deny(vendors: Vendors, *fields: str, everything: bool) -> None:
    vendors.control("denied", fields=list(fields), all=everything)


def errors_logged(log: Log) -> list[tuple[str, str]]:
    lines = (json.loads(line) for line in log.getvalue().splitlines())
    return [(line["reason"], line["what"]) for line in lines if line["event"] == "shopify_graphql_error"]


@pytest.mark.parametrize("everything", [False, True], ids=["null fields", "no data"])
@pytest.mark.parametrize("fields", [("emailAddress",), ("displayName",), ("displayName", "emailAddress")], ids=str)
def test_who_signs_in_is_signed_in_without_what_is_denied(
    service: Service, vendors: Vendors, log: Log, fields: tuple[str, ...], *, everything: bool
) -> None:
    deny(vendors, *fields, everything=everything)
    ella = service.signed_in("ella")
    me = ella.api("GET", "/me").json()
    assert me["points"]["balance"] == 1240
    assert ("name" in me) is ("displayName" not in fields)
    assert answer(service.shopper().api("POST", "/session", {"customerAccessToken": vendors.token("ella")})) == DONE
    reason, what = errors_logged(log)[-1]
    assert set(reason.split(", ")) == {"ACCESS_DENIED"}
    assert what == ", ".join(fields)
    # What needs the address says so, and nothing else is lost.
    if "emailAddress" in fields:
        refused = ella.api("POST", "/me/retailers", {"retailerId": "walmart"})
        assert (refused.status_code, code_of(refused)) == (404, "feature_unavailable")
    for path in ("/", "/rewards", "/refer", "/retailers"):
        assert ella.get(path).status == 200


def test_a_customer_who_may_not_be_read_at_all_is_no_mistake_of_the_shoppers(
    service: Service, vendors: Vendors
) -> None:
    deny(vendors, "id", everything=True)
    shopper = service.shopper()
    reply = shopper.api("POST", "/session", {"customerAccessToken": vendors.token("ella")})
    assert answer(reply) == (502, "upstream_unavailable")
    assert not is_signed_in(shopper)
    page = service.shopper().sign_in("ella")
    assert page.status == 502
    assert "Signing in is not possible right now" in page.text


def test_a_legacy_token_is_taken_without_the_address_too(start: Start, vendors: Vendors) -> None:
    deny(vendors, "email", everything=True)
    service = start(SHOPIFY_LEGACY_TOKENS="on")
    shopper = service.shopper()
    token = vendors.token("ella", kind="storefront")
    assert answer(shopper.api("POST", "/session", {"storefrontCustomerAccessToken": token})) == DONE
    assert shopper.api("GET", "/me").json()["points"]["balance"] == 1240


def test_a_token_of_nobody_is_still_refused(start: Start, vendors: Vendors) -> None:
    """A null customer without an error is how the Storefront API says so; no data at all is not."""
    shopper = start(SHOPIFY_LEGACY_TOKENS="on").shopper()
    reply = shopper.api("POST", "/session", {"storefrontCustomerAccessToken": "a-token-that-never-was"})
    assert answer(reply) == (401, "token_rejected")


def test_the_doctor_says_which_permission_is_missing(settings: dict[str, str], vendors: Vendors) -> None:
    whole = settings | {"DOCTOR_CUSTOMER_TOKEN": vendors.token("ella")}
    assert "name and e-mail address of a customer can be read" in bff(whole, "doctor").stdout
    deny(vendors, "emailAddress", everything=True)
    said = bff(whole, "doctor").stdout
    assert "emailAddress of a customer is denied" in said
    assert "protected customer data" in said
