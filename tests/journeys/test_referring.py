"""Inviting friends: who may invite whom and how often, and what an answer never gives away."""

import pytest
from support.concurrency import at_once
from support.sandbox_catalogue import code_of
from support.services import Service, Vendors
from support.shopper import Shopper

from bff.vendors.sanitize import safe_link

MANY = 100
# The sandbox's own links are always good ones; here the link is whatever the sentence of the policies says.
NO_LINKS = (
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/x",
    "/x",
    "http://evil.example/x",
    "https:evil.example/x",
    "https:///x",
    "ftp://evil.example/x",
    "not a link",
    " ",
)


def invite(shopper: Shopper, email: object) -> tuple[int, str]:
    reply = shopper.api("POST", "/me/referrals", {"email": email})
    return reply.status_code, "" if reply.is_success else code_of(reply)


def invited(vendors: Vendors, persona: str) -> list[str]:
    return [referral["email"] for referral in vendors.member(persona)["referrals"]]


def test_an_invitation_is_taken_and_sent_once(ella: Shopper, vendors: Vendors) -> None:
    assert invite(ella, "friend@example.com") == (202, "")
    assert invited(vendors, "ella") == ["friend@example.com"]


def test_L7_the_same_friend_is_asked_once(ella: Shopper, vendors: Vendors) -> None:
    page = ella.get("/refer")
    at_once([lambda: ella.submit(page, "/refer", email="friend@example.com")] * 3)
    invite(ella, "friend@example.com")
    assert invited(vendors, "ella") == ["friend@example.com"]


@pytest.mark.parametrize("persona", ["tara", "penny", "blake"])
def test_K5_the_answer_never_says_whether_a_friend_is_a_customer(ella: Shopper, persona: str) -> None:
    friends = ("nobody@example.com", f"{persona}@example.com")
    assert {invite(ella, email) for email in friends} == {(202, "")}
    pages = [ella.submit(ella.get("/refer"), "/refer", email=f"{email}") for email in friends]
    assert len({(page.status, page.path, page.heading, "is on its way" in page.text) for page in pages}) == 1


def test_K5_a_friend_who_was_invited_before_looks_like_any_other(ella: Shopper) -> None:
    assert {invite(ella, "friend@example.com") for _ in range(2)} == {(202, "")}


@pytest.mark.parametrize(
    "email",
    ["ella@example.com", "Ella@Example.COM", "ELLA@example.com", "ella+x@example.com", "ella+@example.com"],
)
def test_K6_nobody_invites_themselves(ella: Shopper, vendors: Vendors, email: str) -> None:
    assert invite(ella, email) == (422, "referral_rejected")
    page = ella.submit(ella.get("/refer"), "/refer", email=email)
    assert (page.status, page.form("/refer").fields["email"]) == (422, email)
    assert invited(vendors, "ella") == []
    assert vendors.calls("referral_request") == []


def test_K2_one_friend_is_not_flooded_by_many_members(service: Service, vendors: Vendors) -> None:
    members = [service.signed_in(persona) for persona in ("ella", "tara", "zoe", "rami")]
    answers = [invite(member, "friend@example.com") for _ in range(5) for member in members]
    assert answers[-1] == (429, "rate_limited")
    reply = members[0].api("POST", "/me/referrals", {"email": "friend@example.com"})
    assert (reply.status_code, int(reply.headers["retry-after"]) >= 1) == (429, True)
    assert len(vendors.calls("referral_request")) <= 5
    assert invite(members[0], "another@example.com") == (202, "")


def test_K6_spellings_of_one_address_count_together(ella: Shopper, vendors: Vendors) -> None:
    for number in range(20):
        invite(ella, f"friend+{number}@example.com")
        invite(ella, "FRIEND@example.com" if number % 2 else "Friend@example.com")
    assert invite(ella, "friend@example.com") == (429, "rate_limited")
    assert len(invited(vendors, "ella")) <= 5


def test_K2_one_member_has_a_budget_and_others_keep_theirs(service: Service, vendors: Vendors) -> None:
    ella, zoe = service.signed_in("ella"), service.signed_in("zoe")
    taken = next(number for number in range(MANY) if invite(ella, f"friend{number}@example.com")[0] == 429)
    reply = ella.api("POST", "/me/referrals", {"email": "one.more@example.com"})
    assert (code_of(reply), int(reply.headers["retry-after"]) >= 1) == ("rate_limited", True)
    page = ella.submit(ella.get("/refer"), "/refer", email="one.more@example.com")
    assert (page.status, int(page.reply.headers["retry-after"]) >= 1) == (429, True)
    assert page.form("/refer").fields["email"] == "one.more@example.com"
    assert len(invited(vendors, "ella")) == taken > 0
    assert invite(zoe, "friend@example.com") == (202, "")


@pytest.mark.parametrize(("persona", "code"), [("penny", "not_enrolled"), ("blake", "member_blocked")])
def test_only_members_invite(service: Service, vendors: Vendors, persona: str, code: str) -> None:
    assert invite(service.signed_in(persona), "friend@example.com") == (403, code)
    assert vendors.calls("referral_request") == []


def test_who_cannot_invite_has_no_form_for_it(penny: Shopper, shopper: Shopper) -> None:
    for visitor, link in ((penny, "/join"), (shopper, "/login")):
        page = visitor.get("/refer")
        assert page.status == 200
        assert "/refer" not in [form.action for form in page.read.forms]
        assert any(found.startswith(link) for found in page.read.links)


def test_the_history_names_no_friend(ella: Shopper) -> None:
    invite(ella, "friend@example.com")
    reply, page = ella.api("GET", "/me/referrals"), ella.get("/refer")
    answer = reply.json()
    assert set(answer) == {"referrals", "count", "url", "next"}
    assert answer["next"] is None
    assert (answer["count"], [set(one) for one in answer["referrals"]]) == (3, [{"status", "createdAt"}] * 3)
    assert all(one["createdAt"].endswith("Z") for one in answer["referrals"])
    assert "@" not in reply.text
    assert "friend.one" not in page.reply.text
    assert "3 invitations so far" in page.text


@pytest.mark.parametrize("link", NO_LINKS)
def test_F4_only_an_https_link_is_one(link: str) -> None:
    assert safe_link(link) is None


def test_F4_a_link_that_is_an_attack_is_not_shown_for_sharing(ella: Shopper, vendors: Vendors) -> None:
    assert "Your link" in ella.get("/refer").text
    vendors.control("texts", hostile=True)
    assert "url" not in ella.api("GET", "/me/referrals").json()
    assert "Your link" not in ella.get("/refer").text
    assert safe_link("https://shop.example.com/r/abc?a=1&b=2") == "https://shop.example.com/r/abc?a=1&b=2"


def test_the_link_to_share_is_the_members_own(ella: Shopper, vendors: Vendors) -> None:
    sender = vendors.member("ella")["referralSenderId"].partition("-")[0]
    assert ella.api("GET", "/me/referrals").json()["url"].endswith(f"/refer/{sender}")
    assert f"/refer/{sender}" in ella.get("/refer").text


def test_a_part_that_fails_leaves_the_form_standing(ella: Shopper, vendors: Vendors) -> None:
    for operation in ("referrals", "referral_count", "referral_sender"):
        vendors.fault(operation, "status:500", times=2)
        page = ella.get("/refer")
        assert (page.status, page.form("/refer").method) == (200, "post"), operation
        vendors.http.delete(f"{vendors.url}/_control/faults")
