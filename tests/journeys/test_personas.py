"""What each persona can do, from signing in to the effect at the vendor, over plain HTTP and without JavaScript."""

from support.services import Service, Vendors
from support.shopper import Shopper


def test_a_stranger_sees_the_program_and_how_to_sign_in(shopper: Shopper) -> None:
    page = shopper.get("/")
    assert page.status == 200
    assert any(link.startswith("/login") for link in page.read.links)


def test_ella_signs_in_and_sees_her_balance(ella: Shopper) -> None:
    assert "1,240" in ella.get("/").text


def test_penny_joins_with_exactly_the_words_she_was_shown(penny: Shopper, vendors: Vendors) -> None:
    page = penny.get("/join")
    assert page.form("/join").buttons == ["Accept terms & join"]
    landed = penny.submit(page, "/join")
    assert (landed.status, landed.path) == (200, "/welcome")
    member = vendors.member("penny")
    assert member["state"] == "enrolled"
    assert [enrolment["version"] for enrolment in member["enrolments"]] == [vendors.state()["policies"]["version"]]
    assert "260" in penny.get("/").text


def test_ella_redeems_a_reward_once_however_often_she_sends_the_form(ella: Shopper, vendors: Vendors) -> None:
    rewards = ella.get("/rewards")
    path = next(link for link in rewards.read.links if link.startswith("/rewards/"))
    page = ella.get(path)
    landed = ella.submit(page, path)
    again = ella.submit(page, path)
    assert landed.path == again.path
    assert landed.path.startswith("/redemptions/")
    (redemption,) = vendors.member("ella")["redemptions"]
    assert redemption["code"] in landed.text


def test_ella_invites_a_friend(ella: Shopper, vendors: Vendors) -> None:
    page = ella.get("/refer")
    landed = ella.submit(page, "/refer", email="friend@example.com")
    assert landed.path == "/refer"
    assert vendors.member("ella")["referrals"] == [{"email": "friend@example.com"}]


def test_blake_sees_one_calm_page_and_no_points(service: Service) -> None:
    blake = service.signed_in("blake")
    for path in ("/", "/join", "/rewards", "/refer"):
        assert blake.get(path).path == "/blocked"


def test_the_page_of_the_blocked_sends_everybody_else_to_the_overview(
    shopper: Shopper, ella: Shopper, penny: Shopper, service: Service, vendors: Vendors
) -> None:
    for visitor in (shopper, ella, penny):
        reply = visitor.request("GET", "/blocked")
        assert (reply.status_code, reply.headers["location"]) == (303, "/")
    vendors.fault("customer", "status:500", times=9)
    assert ella.get("/blocked").path == "/"
    blake = service.signed_in("blake")
    assert blake.request("GET", "/blocked").status_code == 200


def test_a_refusal_of_one_section_is_not_the_end_of_the_page(ella: Shopper, vendors: Vendors) -> None:
    vendors.fault("customer_redemption_rules", "status:403", times=9)
    page = ella.get("/")
    assert (page.status, page.path) == (200, "/")
    assert "1,240" in page.text
    assert "$5 off your order" in page.text, "what everybody sees is shown to a member, too"
    assert "Redeem $5" not in page.reply.text


def test_signing_out_ends_the_session_here_and_at_the_shop(ella: Shopper, vendors: Vendors) -> None:
    cookie = ella.session_cookie
    landed = ella.sign_out()
    assert (landed.path, landed.heading) == ("/signed-out", "You are signed out")
    assert ella.cookies == {}
    assert cookie is not None
    ella.cookies["__Host-Http-loyalty"] = cookie
    assert ella.api("GET", "/session").json() == {"state": "anonymous"}
    assert [call["status"] for call in vendors.calls("shopify_logout")] == [302]
