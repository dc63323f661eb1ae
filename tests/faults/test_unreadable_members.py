"""Okendo has renamed a member's state: nobody joins or redeems on a guess, and the log says which field is missing."""

from typing import Any

import psycopg
import pytest
from support.sandbox_catalogue import FIVE_OFF, code_of, new_key, redeem
from support.services import Log, Service, Vendors
from support.shopper import Shopper

Rows = psycopg.Connection[tuple[object, ...]]
UNREADABLE = "We can't read your membership right now"
RENAMED = {"names": {"status": "membership"}}


@pytest.fixture
def renamed(service: Service, vendors: Vendors) -> Service:
    vendors.control("dialect", customer=RENAMED, login=RENAMED)
    return service


def agree(shopper: Shopper) -> Any:
    words = shopper.api("GET", "/legal-policies").json()
    body = {"policiesVersion": words["version"], "policiesDigest": words["digest"]}
    return shopper.api("POST", "/me/enrolment", body)


@pytest.mark.parametrize("persona", ["penny", "blake", "ella"])
def test_L5_a_member_whose_state_cannot_be_read_may_do_nothing(
    renamed: Service, vendors: Vendors, rows: Rows, persona: str
) -> None:
    shopper = renamed.signed_in(persona)
    # Okendo refuses a blocked one by itself.
    refused = (403, "member_blocked") if persona == "blake" else (502, "upstream_unavailable")
    for reply in (shopper.api("GET", "/me"), agree(shopper), redeem(shopper, FIVE_OFF, new_key())):
        assert (reply.status_code, code_of(reply)) == refused
    join = shopper.get("/join")
    assert not any(form.action == "/join" for form in join.read.forms)
    assert join.path == "/blocked" if persona == "blake" else UNREADABLE in join.text
    assert vendors.calls("customer_activation") + vendors.calls("redeem") == []
    assert rows.execute("SELECT count(*) FROM consents").fetchone() == (0,)
    assert not any(form.action.startswith("/rewards") for form in shopper.get(f"/rewards/{FIVE_OFF}").read.forms)


@pytest.mark.parametrize(("persona", "path"), [("penny", "/join"), ("ella", "/refer")])
def test_L5_no_form_is_shown_that_would_be_refused(service: Service, vendors: Vendors, persona: str, path: str) -> None:
    """Who signed in before the state was renamed sees no button either, and one that was shown before does nothing."""
    shopper = service.signed_in(persona)
    shown_before = shopper.get(path).form(path).fields
    vendors.control("dialect", customer=RENAMED, login=RENAMED)
    for page in (shopper.get(path), shopper.post(path, shown_before | {"email": "friend@example.com"})):
        assert UNREADABLE in page.text
        assert not any(form.action == path for form in page.read.forms)
    assert vendors.calls("customer_activation") + vendors.calls("referral_request") == []
    vendors.control("dialect")
    assert shopper.get(path).form(path)


def test_nobody_is_told_that_they_are_no_member_when_it_cannot_be_read(renamed: Service) -> None:
    ella = renamed.signed_in("ella")
    assert ella.get("/welcome").path == "/"
    for path in ("/join", "/refer", "/earn", "/earn/birthday", "/tiers", f"/rewards/{FIVE_OFF}"):
        page = ella.get(path)
        assert "Join to" not in page.text, path
        assert "Try again" in page.text, path


def test_the_log_names_what_is_missing_and_what_is_there(renamed: Service, vendors: Vendors, log: Log) -> None:
    ella = renamed.signed_in("ella")
    log.clear()
    ella.api("GET", "/me")
    lines = log.events("reply_unreadable")
    assert {(line["vendor"], line["operation"], line["what"]) for line in lines} == {("okendo", "customer", "state")}
    assert "membership" in lines[0]["where"]
    assert not any(word in lines[0]["where"] for word in ("enrolled", "1240", "Silver", "@"))


def test_it_works_again_as_soon_as_it_can_be_read(renamed: Service, vendors: Vendors) -> None:
    penny = renamed.signed_in("penny")
    assert agree(penny).status_code == 502
    vendors.control("dialect")
    assert agree(penny).status_code == 201
