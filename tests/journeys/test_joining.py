"""Joining: the words that were shown are the words that are agreed to, or nothing is sent."""

from typing import Any

import pytest
from support.concurrency import at_once, meanwhile, until
from support.enrolment_clients import (
    NEW_WORDS,
    Rows,
    agree,
    enrolments_of,
    evidence,
    links_of,
    sends,
    sentence_on,
    words_of,
)
from support.sandbox_catalogue import code_of
from support.services import Service, Start, Vendors
from support.shopper import Page, Shopper

UNREADABLE = ("status:400", "status:404", "status:429", "status:500", "status:503", "garbage", "html", "cut_before")
FORGED = ("", "x", ".", "a.b", "a.b.c", "e30.AAAA", "null", "\0", "é", "\N{PARTY POPPER}", "x" * 4000)


def refused_page(page: Page, words: str) -> None:
    """The terms are shown anew, nothing has been agreed to."""
    assert (page.status, page.path) == (409, "/join")
    assert "not agreed to anything" in page.text
    assert words in page.text


def test_L6_button_and_sentence_are_exactly_the_vendors_and_stand_together(penny: Shopper, vendors: Vendors) -> None:
    link = '<a href="https://shop.example.com/x?a=1&amp;b=2">it</a>'
    html = f"By <em>joining</em>,\u00a0you agree to <strong>all</strong> of {link} & more."
    vendors.control("policies", html=html)
    page = penny.get("/join")
    assert page.form("/join").buttons == ["Accept terms & join"]
    sentence = sentence_on(page)
    assert (words_of(sentence), links_of(sentence)) == (words_of(html), links_of(html))
    assert "<em>joining</em>" in sentence
    shown = penny.api("GET", "/legal-policies").json()
    assert (shown["buttonText"], words_of(shown["sentenceHtml"])) == ("Accept terms & join", words_of(html))


def test_L6_looking_at_the_words_never_joins(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    for headers in ({}, {"sec-purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}):
        assert penny.get("/join", headers=headers).status == 200
        penny.get("/welcome", headers=headers)
        penny.request("HEAD", "/join", headers=headers)
    assert sends(vendors) == 0
    assert vendors.member("penny")["state"] == "pending"
    assert evidence(rows) == []


def test_L5_joining_by_json_gives_the_member(penny: Shopper, vendors: Vendors) -> None:
    reply = agree(penny)
    assert (reply.status_code, reply.json()["state"], reply.json()["points"]["balance"]) == (201, "enrolled", 260)
    assert enrolments_of(vendors, "penny") == [{"version": "2025-03-01", "channel": "sandbox-partner"}]
    (call,) = vendors.calls("customer_activation")
    assert call["headers"]["okendo-partner-id"] == "sandbox-partner"


def test_L5_version_and_digest_must_both_be_those_in_force(penny: Shopper, vendors: Vendors) -> None:
    digest = penny.api("GET", "/legal-policies").json()["digest"]
    other = {"policiesDigest": digest[:-1] + ("0" if digest[-1] != "0" else "1")}
    for changes in ({"policiesVersion": "2025-03-02"}, {"policiesVersion": 20250301}, other, {"policiesDigest": ""}):
        reply = agree(penny, **changes)
        assert (reply.status_code, code_of(reply)) == (409, "policies_outdated"), changes
    assert sends(vendors) == 0


@pytest.mark.parametrize("version", [7, 7.5, "7", ""])
def test_L5_the_version_keeps_its_type(penny: Shopper, vendors: Vendors, version: Any) -> None:
    vendors.control("policies", version=version)
    for other in {7, 7.5, "7", "7.5", ""} - {version}:
        assert agree(penny, policiesVersion=other).status_code == 409
    assert agree(penny).status_code == 201
    assert [enrolment["version"] for enrolment in enrolments_of(vendors, "penny")] == [version]


@pytest.mark.parametrize("change", [{"version": "2025-09-01"}, {"html": NEW_WORDS}, {"version": 4, "html": NEW_WORDS}])
def test_L5_words_that_change_between_page_and_click_are_shown_again(
    penny: Shopper, vendors: Vendors, change: dict[str, Any]
) -> None:
    page = penny.get("/join")
    now = vendors.control("policies", **change)
    again = penny.submit(page, "/join")
    refused_page(again, words_of(now["html"]))
    assert (sends(vendors), enrolments_of(vendors, "penny")) == (0, [])
    assert penny.submit(again, "/join").path == "/welcome"
    assert [enrolment["version"] for enrolment in enrolments_of(vendors, "penny")] == [now["version"]]


@pytest.mark.parametrize("change", [{"version": "2025-09-01"}, {"html": NEW_WORDS}])
def test_L5_json_is_told_the_policies_of_now(penny: Shopper, vendors: Vendors, change: dict[str, Any]) -> None:
    penny.api("GET", "/legal-policies")
    now = vendors.control("policies", **change)
    reply = agree(penny)
    assert (reply.status_code, code_of(reply), sends(vendors)) == (409, "policies_outdated", 0)
    policies = reply.json()["legalPolicies"]
    assert (policies["version"], words_of(policies["sentenceHtml"])) == (now["version"], words_of(now["html"]))
    agreed = agree(penny, policiesVersion=policies["version"], policiesDigest=policies["digest"])
    assert (agreed.status_code, sends(vendors)) == (201, 1)


def test_L5_a_change_that_the_vendor_notices_first_is_shown_again(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    vendors.fault("customer_activation", "delay", seconds=1)
    with meanwhile(lambda: penny.submit(page, "/join")) as joining:
        until(lambda: sends(vendors) == 1)
        now = vendors.control("policies", version="2025-09-01", html=NEW_WORDS)
        again = joining.result()
    refused_page(again, words_of(now["html"]))
    assert enrolments_of(vendors, "penny") == []
    assert penny.submit(again, "/join").path == "/welcome"


def test_L5_terms_that_are_refused_although_they_are_in_force_are_not_said_to_have_changed(
    penny: Shopper, vendors: Vendors
) -> None:
    page = penny.get("/join")
    vendors.fault("customer_activation", "status:400", times=2)
    again = penny.submit(page, "/join")
    assert (again.status, again.path) == (503, "/join")
    assert "The terms are as you saw them" in again.text
    assert "have changed" not in again.text
    reply = agree(penny)
    assert (reply.status_code, code_of(reply)) == (502, "upstream_unavailable")
    assert enrolments_of(vendors, "penny") == []


def test_L5_one_who_may_not_be_enrolled_is_not_said_to_be_blocked(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    vendors.fault("customer_activation", "status:403", times=2)
    again = penny.submit(page, "/join")
    assert (again.status, again.path) == (404, "/join")
    assert "Joining is not possible here right now" in again.text
    reply = agree(penny)
    assert (reply.status_code, code_of(reply)) == (404, "feature_unavailable")
    assert penny.get("/").path == "/"


def test_L5_one_who_is_blocked_while_joining_is_told_so(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    vendors.fault("customer_activation", "status:403")
    # The first look at the member goes well; the one after the refusal finds them blocked.
    vendors.fault("customer", "delay", seconds=0)
    vendors.fault("customer", "status:403", times=9)
    assert penny.submit(page, "/join").path == "/blocked"


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_L5_unreadable_policies_pause_joining(penny: Shopper, vendors: Vendors, rows: Rows, trouble: str) -> None:
    page, agreed = penny.get("/join"), penny.api("GET", "/legal-policies").json()
    vendors.fault("legal_policies", trouble, times=8)
    body = {"policiesVersion": agreed["version"], "policiesDigest": agreed["digest"]}
    reply = penny.api("POST", "/me/enrolment", body)
    assert (reply.status_code >= 502, code_of(reply)[:8]) == (True, "upstream")
    again = penny.submit(page, "/join")
    assert (again.status, again.path) == (503, "/join")
    assert (sends(vendors), evidence(rows)) == (0, [])


@pytest.mark.parametrize("trouble", UNREADABLE)
def test_L5_nobody_can_agree_to_words_that_cannot_be_shown(penny: Shopper, vendors: Vendors, trouble: str) -> None:
    vendors.fault("legal_policies", trouble, times=8)
    page = penny.get("/join")
    assert page.status == 503
    assert "paused" in page.text
    assert not [form for form in page.read.forms if form.action == "/join"]
    reply = penny.api("GET", "/legal-policies")
    assert (reply.status_code >= 502, code_of(reply)[:8]) == (True, "upstream")


@pytest.mark.parametrize("html", ["<p> </p>", "&nbsp;", "<script>void 0</script>", "<!-- nothing -->"])
def test_L5_nobody_can_agree_to_an_empty_sentence(penny: Shopper, vendors: Vendors, html: str) -> None:
    vendors.control("policies", html=html)
    page = penny.get("/join")
    assert not [form for form in page.read.forms if form.action == "/join"]
    assert (page.status, sends(vendors)) == (503, 0)


def test_L6_a_sentence_that_comes_as_a_template_is_put_together(penny: Shopper, vendors: Vendors) -> None:
    vendors.control("policies", html="")
    sentence = sentence_on(penny.get("/join"))
    assert words_of(sentence).startswith("By joining, you agree to the ")
    assert "{" not in sentence
    policies = "https://shop.example.com/policies/"
    assert links_of(sentence) == [f"{policies}terms-of-service", f"{policies}privacy-policy"]


def test_L5_a_forged_consent_is_not_a_consent(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    genuine = page.form("/join").fields["consent"]
    for consent in (*FORGED, genuine[:-2], genuine + "A", genuine.swapcase(), "." + genuine, genuine * 2):
        refused_page(penny.submit(page, "/join", consent=consent), "By joining, you agree")
    missing = {"csrf": page.form("/join").fields["csrf"]}
    refused_page(penny.post("/join", missing), "By joining, you agree")
    assert sends(vendors) == 0


def test_L5_a_consent_of_another_sign_in_is_not_a_consent(penny: Shopper, service: Service, vendors: Vendors) -> None:
    before = penny.get("/join").form("/join").fields["consent"]
    later = service.signed_in("penny")
    refused_page(later.submit(later.get("/join"), "/join", consent=before), "By joining, you agree")
    assert sends(vendors) == 0


def test_L5_a_page_left_open_too_long_is_shown_again(penny: Shopper, service: Service, vendors: Vendors) -> None:
    page = penny.get("/join")
    service.clock.advance(3500)
    in_time = penny.get("/join")
    service.clock.advance(200)
    refused_page(penny.submit(page, "/join"), "By joining, you agree")
    assert sends(vendors) == 0
    assert penny.submit(in_time, "/join").path == "/welcome"


def test_L7_joining_twice_is_joining_once(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    page = penny.get("/join")
    assert [penny.submit(page, "/join").path for _ in range(2)] == ["/welcome", "/welcome"]
    assert agree(penny).status_code == 200
    assert agree(penny, policiesVersion="something else").status_code == 200
    assert (sends(vendors), len(enrolments_of(vendors, "penny")), len(evidence(rows))) == (1, 1, 1)


def test_L7_a_double_click_joins_once(penny: Shopper, vendors: Vendors, rows: Rows) -> None:
    vendors.fault("customer_activation", "delay", seconds=0.3)
    page = penny.get("/join")
    landed = at_once([lambda: penny.submit(page, "/join")] * 4)
    assert {(one.status, one.path) for one in landed} == {(200, "/welcome")}
    assert (sends(vendors), len(evidence(rows))) == (1, 1)


def test_L5_a_member_who_joined_long_ago_is_not_enrolled_again(ella: Shopper, vendors: Vendors) -> None:
    reply = agree(ella)
    assert (reply.status_code, reply.json()["state"]) == (200, "enrolled")
    assert "already a member" in ella.get("/join").text
    assert sends(vendors) == 0


def test_L5_a_blocked_member_gets_one_calm_page_and_no_vendor_is_called(service: Service, vendors: Vendors) -> None:
    blake = service.signed_in("blake")
    before = len(vendors.state()["calls"])
    page = blake.get("/join")
    assert (page.status, page.path, page.read.forms[-1].action) == (200, "/blocked", "/logout")
    assert blake.post("/join", {"csrf": "x", "consent": "y"}).status == 403
    reply = blake.api("POST", "/me/enrolment", {"policiesVersion": "2025-03-01", "policiesDigest": "x"})
    assert (reply.status_code, code_of(reply)) == (403, "member_blocked")
    assert len(vendors.state()["calls"]) == before


def test_L5_a_member_blocked_since_the_page_was_shown_is_not_enrolled(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    vendors.fault("customer", "status:403", times=9)
    assert penny.submit(page, "/join").path == "/blocked"
    assert sends(vendors) == 0


def test_L5_a_member_whose_state_has_become_blocked_is_not_enrolled(
    penny: Shopper, vendors: Vendors, rows: Rows
) -> None:
    """Okendo tells it in the state of a member whom it still answers."""
    page = penny.get("/join")
    vendors.control("member", persona="penny", state="blocked", refused=False)
    assert penny.submit(page, "/join").path == "/blocked"
    assert [call["status"] for call in vendors.calls("customer")][-1] == 200
    assert (sends(vendors), evidence(rows)) == (0, [])


def test_L5_without_the_database_nobody_joins(start: Start, vendors: Vendors) -> None:
    penny = start(DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing").signed_in("penny")
    reply = agree(penny)
    assert (reply.status_code, code_of(reply)) == (503, "store_unavailable")
    assert penny.submit(penny.get("/join"), "/join").status == 503
    assert sends(vendors) == 0


def test_the_welcome_is_for_those_who_have_just_joined(penny: Shopper, ella: Shopper, rows: Rows) -> None:
    assert penny.get("/welcome").path == "/"
    assert ella.get("/welcome").path == "/"
    welcomed = penny.submit(penny.get("/join"), "/join")
    assert (welcomed.path, penny.get("/welcome").path) == ("/welcome", "/welcome")
    rows.execute("UPDATE consents SET agreed_at = agreed_at - interval '61 minutes'")
    assert penny.get("/welcome").path == "/"


def test_the_welcome_says_what_joining_gave_and_what_to_do_next(penny: Shopper, vendors: Vendors) -> None:
    page = penny.submit(penny.get("/join"), "/join")
    assert "+200 points" in page.text
    assert {"/earn/birthday", "/refer", "/earn"} <= set(page.read.links)
    (first,) = [form.action for form in page.read.forms if form.action.startswith("/earn/")]
    assert "You earned 50 points" in penny.submit(page, first).text
    vendors.fault("customer_earning_rules", "status:500", times=9)
    assert "What's next" in penny.get("/welcome").text
