"""The client on a storefront's server: each method against the real service and sandbox, also while they fail."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.carts import UNKNOWN, cart_of, codes_in
from support.client_package import Package
from support.node import run
from support.sandbox_catalogue import FIVE_OFF
from support.services import TICKETS_TOKEN, Service, Vendors, Work
from support.shopper import COOKIE

pytest_plugins = ["support.built_client"]
Script: TypeAlias = Callable[..., Any]
# For a customer, whose handle is kept in a variable; `kept` is every handle that was.
SERVER = """
const kept = [];
const as = (persona, options = {}) => createLoyalty({
  baseUrl: given.url, fetch: counted, getToken: () => token(persona), ...options,
  server: { token: given.secret, load: () => kept.at(-1), save: (handle) => kept.push(handle) },
});
"""
INSTAGRAM = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"


@pytest.fixture
def script(package: Package, service: Service, vendors: Vendors, tmp_path: Path) -> Script:
    """Runs a script for this service: what it tells."""
    known = {"url": service.url, "sandbox": vendors.url, "secret": TICKETS_TOKEN, "reward": FIVE_OFF, "rule": INSTAGRAM}
    return lambda text, **more: run(SERVER + text, package.folder / "dist" / "server.js", tmp_path, **known | more)


def test_every_method_answers(script: Script, vendors: Vendors) -> None:
    told: Mapping[str, Any] = script("""
      const penny = as("penny", { locale: "en" }), events = [];
      for (const event of ["signed_in", "joined", "redeemed", "earned", "referred"])
        penny.on(event, (detail) => events.push([event, detail]));
      const begun = await penny.session();
      const policies = await penny.policies();
      const member = await penny.join(policies);
      const earned = await penny.earn(given.rule);
      await penny.setBirthday({ day: 29, month: 2 });
      await penny.refer("friend@example.com");
      tell({
        begun, member, earned, events,
        program: Object.keys(await penny.program()),
        me: await penny.me(["rewards", "coupons", "tierProgress", "earningRules"]),
        coupons: await penny.coupons(), referrals: await penny.referrals(),
        activity: await penny.activity({ limit: 2 }), retailers: await penny.retailers(),
        out: await penny.signOut(), kept: kept.length, last: kept.at(-1),
        address: penny.signInUrl("https://shop.example/?a=1&b=2"),
      });
    """)
    assert set(told["begun"]) == {"state", "expiresAt"}, "the handle stays in the server"
    assert (told["begun"]["state"], told["member"]["state"]) == ("pending", "enrolled")
    assert told["program"] == ["earningRules", "rewards", "tiers"]
    assert told["earned"]["result"] == {"kind": "points", "points": 50}
    assert {*told["me"]} >= {"points", "rewards", "coupons", "tierProgress", "earningRules", "birthday"}
    assert len(told["activity"]["activity"]) == 2
    assert told["coupons"]["complete"] is True
    assert told["referrals"]["count"] == 1
    assert "retailers" in told["retailers"]
    assert told["out"] == {}
    assert (told["kept"], told["last"]) == (2, None)
    assert told["address"].endswith("/login?return_to=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26b%3D2")
    assert told["events"] == [
        ["signed_in", {"state": "pending"}],
        ["joined", {"state": "enrolled"}],
        ["earned", {"id": INSTAGRAM, "kind": "points", "points": 50}],
        ["referred", {}],
    ]
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] != []


def test_words_that_have_changed_come_with_the_refusal(script: Script, vendors: Vendors) -> None:
    told = script("""
      const penny = as("penny");
      const seen_words = await penny.policies();
      await control("policies", { version: "2027-01-01" });
      const refused = await seen(penny.join(seen_words));
      tell({ refused, again: await penny.join(refused.problem.legalPolicies) });
    """)
    assert (told["refused"]["code"], told["refused"]["status"]) == ("policies_outdated", 409)
    assert told["again"]["state"] == "enrolled"
    assert [one["version"] for one in vendors.member("penny")["enrolments"]] == ["2027-01-01"]


# Redeeming ------------------------------------------------------------------------------------------------------------


def test_a_redemption_whose_answer_is_lost_is_found_out_and_spends_once(
    script: Script, vendors: Vendors, work: Work
) -> None:
    work()
    told = script("""
      const ella = as("ella"), events = [];
      ella.on("redeemed", (detail) => events.push(detail));
      await fault("redeem", "cut_after");
      const both = await Promise.all([ella.redeem(given.reward), ella.redeem(given.reward)]);
      tell({ both, events, sent: wire.filter((call) => call === "POST /api/v1/me/redemptions").length });
    """)
    (redemption,) = vendors.member("ella")["redemptions"]
    assert [one["coupon"]["code"] for one in told["both"]] == [redemption["code"]] * 2
    assert told["events"] == [{"rewardId": FIVE_OFF, "points": 500}]
    assert told["sent"] == 1
    assert len(vendors.calls("redeem")) == 1


def test_the_answer_of_this_service_may_be_lost_too(script: Script, vendors: Vendors) -> None:
    told = script("""
      // Somebody between the two swallows what the service says to the redemption.
      const losing = async (url, init) => {
        const reply = await counted(url, init);
        if (url.endsWith("/redemptions")) throw new TypeError("the connection broke off");
        return reply;
      };
      tell(await as("ella", { fetch: losing }).redeem(given.reward));
    """)
    (redemption,) = vendors.member("ella")["redemptions"]
    assert (told["state"], told["coupon"]["code"]) == ("succeeded", redemption["code"])


def test_nothing_sent_is_said_so_and_the_next_try_is_the_same_intent(script: Script, vendors: Vendors) -> None:
    told = script("""
      let away = true;
      const keys = [];
      const ella = as("ella", { fetch: (url, init) => {
        const key = new Headers(init.headers).get("Idempotency-Key");
        if (key) keys.push(key);
        if (key && away) throw new TypeError("no network");
        return counted(url, init);
      } });
      const first = await seen(ella.redeem(given.reward));
      away = false;
      tell({ first, second: await ella.redeem(given.reward), third: await ella.redeem(given.reward), keys });
    """)
    assert (told["first"]["code"], told["first"]["status"], told["first"]["retryable"]) == ("unreachable", 0, True)
    assert (told["second"]["state"], told["third"]["state"]) == ("succeeded", "succeeded")
    first, second, third = told["keys"]
    assert first == second != third, "one key for an intent, and another one for the next"
    assert len(vendors.member("ella")["redemptions"]) == 2


def test_a_key_of_the_servers_own_is_the_intent(script: Script, vendors: Vendors) -> None:
    told = script("""
      const redeem = () => as("ella").redeem(given.reward, { key: "an-intent-of-a-form-1" });
      tell([await redeem(), await redeem()]);
    """)
    assert told[0] == told[1]
    assert told[0]["key"] == "an-intent-of-a-form-1"
    assert len(vendors.member("ella")["redemptions"]) == 1


def test_a_refusal_is_final_and_typed(script: Script, vendors: Vendors) -> None:
    told = script("""tell(await seen(as("zoe").redeem(given.reward)));""")
    assert (told["name"], told["code"], told["status"]) == ("LoyaltyError", "insufficient_points", 422)
    assert told["message"] == "You do not have enough points for this reward yet."
    assert vendors.calls("redeem") == []


def test_a_code_whose_redemption_was_found_out_goes_into_the_cart_all_the_same(
    script: Script, vendors: Vendors, work: Work
) -> None:
    work()
    cart = cart_of(vendors, subtotal=50, persona="ella")
    told = script(
        """
      const ella = as("ella", { cart: () => given.cart }), events = [];
      for (const event of ["redeemed", "coupon_applied"]) ella.on(event, (detail) => events.push([event, detail]));
      await fault("redeem", "cut_after");
      const { coupon, cart } = await ella.redeem(given.reward);
      tell({ code: coupon.code, cart, again: await ella.applyCoupon(coupon.code), events });
    """,
        cart=cart,
    )
    assert (told["cart"], told["again"]) == ({"result": "applied"}, {"result": "already_applied"})
    assert told["code"] in codes_in(vendors, cart)
    assert [name for name, _ in told["events"]] == ["redeemed", "coupon_applied"]


def test_rewards_say_whether_they_fit_the_cart_whose_key_stays_here(script: Script, vendors: Vendors) -> None:
    cart = cart_of(vendors, subtotal=5)
    told: Mapping[str, Any] = script(
        """
      const ella = as("ella", { cart: given.cart });
      const [one, other] = [await ella.rewards(), await ella.rewards({ cartId: given.none })];
      tell({ one, other: other.cart, fits: other.rewards.some((reward) => "fitsCart" in reward) });
    """,
        cart=cart,
        none=UNKNOWN,
    )
    [off] = [reward for reward in told["one"]["rewards"] if reward["id"] == FIVE_OFF]
    assert (told["one"]["cart"], off["fitsCart"]["reason"]) == ({"state": "read"}, "minimum_spend")
    assert (told["other"], told["fits"]) == ({"state": "not_found"}, False)


def test_a_cart_that_there_is_not_hides_no_code(script: Script, vendors: Vendors) -> None:
    told = script("""
      const { coupon, cart } = await as("ella").redeem(given.reward, { cartId: "gid://shopify/Cart/nowhere?key=1" });
      tell({ code: coupon.code, cart });
    """)
    assert told["cart"] == {"result": "not_applied", "reason": "cart_not_found"}
    assert [one["code"] for one in vendors.member("ella")["redemptions"]] == [told["code"]]


# Failing --------------------------------------------------------------------------------------------------------------


def test_reads_are_tried_again_when_the_service_says_when(script: Script, vendors: Vendors) -> None:
    told = script("""
      const ella = as("ella");
      await ella.session();
      await fault("customer", "status:429", 1, { retryAfter: 1 });
      const began = performance.now();
      const { points } = await ella.me();
      tell({ points, waited: performance.now() - began, asked: wire.filter((call) => call.endsWith("/me")).length });
    """)
    assert told["points"]["balance"] == 1240
    assert told["waited"] >= 1000
    assert told["asked"] == 2


def test_who_would_wait_long_is_told_at_once(script: Script) -> None:
    told = script("""
      const ella = as("ella");
      await ella.session();
      await fault("customer", "status:429", 1, { retryAfter: 60 });
      tell({ ...await seen(ella.me()), asked: wire.filter((call) => call.endsWith("/me")).length });
    """)
    assert (told["code"], told["status"], told["retryable"], told["asked"]) == ("upstream_unavailable", 503, True, 1)
    assert told["retryAfter"] >= 59


def test_reads_end_after_three_tries(script: Script) -> None:
    told = script("""
      const ella = as("ella");
      await ella.session();
      await fault("customer", "garbage", 9);
      tell({ ...await seen(ella.me()), asked: wire.filter((call) => call.endsWith("/me")).length });
    """)
    assert (told["code"], told["asked"]) == ("upstream_unavailable", 3)


def test_writes_are_sent_once_whatever_comes_of_them(script: Script, vendors: Vendors) -> None:
    told = script("""
      const ella = as("ella");
      await ella.session();
      await fault("trigger", "status:500");
      await fault("birthday", "status:500");
      await fault("referral_request", "status:429", 1, { retryAfter: 1 });
      const before = wire.length;
      tell({
        failed: [
          await seen(ella.earn("0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05")),
          await seen(ella.setBirthday({ day: 1, month: 2 })), await seen(ella.refer("friend@example.com")),
        ],
        wire: wire.slice(before),
      });
    """)
    assert [one["status"] >= 500 and one["retryable"] for one in told["failed"]] == [True] * 3
    assert len(told["wire"]) == 3
    assert len(vendors.calls("trigger")) == 1


def test_being_asked_too_often_is_told_with_the_time_to_wait(script: Script) -> None:
    told = script("""
      const ella = as("ella"), problems = [];
      for (let times = 0; times < 21; times += 1) problems.push(await seen(ella.setBirthday({ day: 30, month: 2 })));
      tell(problems.at(-1));
    """)
    assert (told["code"], told["status"], told["retryable"]) == ("rate_limited", 429, True)
    assert told["retryAfter"] > 0


def test_what_is_no_answer_of_the_service_is_unreachable(script: Script) -> None:
    """A proxy's page, an address where somebody else answers, and one where nobody does."""
    told = script("""
      const at = (baseUrl) =>
        seen(createLoyalty({ baseUrl, server: { token: "x", load: () => "h" } }).setBirthday({ day: 1, month: 1 }));
      tell([await at(given.sandbox), await at("http://127.0.0.1:9")]);
    """)
    assert [(one["code"], one["status"]) for one in told] == [("unreachable", 404), ("unreachable", 0)]


# Waiting --------------------------------------------------------------------------------------------------------------


def test_who_asks_the_same_shares_a_request_and_who_leaves_disturbs_nobody(script: Script) -> None:
    told = script("""
      const ella = as("ella"), leaving = new AbortController();
      await ella.session();
      await fault("customer", "delay", 1, { seconds: 0.5 });
      const before = wire.length;
      const asked = [seen(ella.me([], { signal: leaving.signal })), seen(ella.me()), seen(ella.me())];
      leaving.abort(new Error("gone"));
      const [left, one, other] = await Promise.all(asked);
      const shared = wire.length - before;
      await ella.me();
      tell({ left: left.message, one, other, shared, later: wire.length - before });
    """)
    assert told["left"] == "gone"
    assert told["one"] == told["other"]
    assert told["one"]["answer"]["points"]["balance"] == 1240
    assert (told["shared"], told["later"]) == (1, 2), "what has ended is asked anew"


def test_a_request_that_nobody_waits_for_is_broken_off(script: Script) -> None:
    told = script("""
      const signals = [];
      const ella = as("ella", { fetch: (url, init) => { signals.push(init.signal); return counted(url, init); } });
      await ella.session();
      await fault("customer", "delay", 1, { seconds: 5 });
      const leaving = new AbortController();
      const asked = [seen(ella.me([], { signal: leaving.signal })), seen(ella.me([], { signal: leaving.signal }))];
      leaving.abort(new Error("gone"));
      tell({ left: (await Promise.all(asked)).map(({ message }) => message), aborted: signals.at(-1).aborted });
    """)
    assert told == {"left": ["gone", "gone"], "aborted": True}


def test_a_read_that_began_before_a_write_does_not_answer_one_after_it(script: Script) -> None:
    told = script("""
      const zoe = as("zoe");
      await zoe.session();
      await fault("customer", "delay_after", 1, { seconds: 1 });
      const before = zoe.me();
      await new Promise((done) => setTimeout(done, 200));
      await zoe.earn(given.rule);
      tell([(await zoe.me()).points.balance, (await before).points.balance]);
    """)
    assert told == [50, 0]


def test_a_session_that_has_ended_is_renewed_once_for_all(script: Script, vendors: Vendors) -> None:
    told = script("""
      let asked = 0;
      const ella = as("ella", { getToken: () => { asked += 1; return token("ella"); } });
      await ella.session();
      await control("clock", { advance: 0 });
      // The handle is over: somebody ended it.
      await createLoyalty({ baseUrl: given.url, server: { token: given.secret, load: () => kept.at(-1) } }).signOut();
      const all = await Promise.all([ella.me(), ella.coupons(), ella.activity()]);
      tell({ asked, balance: all[0].points.balance, handles: kept.length });
    """)
    assert told == {"asked": 2, "balance": 1240, "handles": 2}


def test_whoever_is_signed_out_at_the_shop_stays_so(script: Script) -> None:
    told = script("""
      const nobody = as("ella", { getToken: () => null });
      const broken = as("ella", { getToken: () => { throw new Error("no shop"); } });
      const out = as("ella");
      await out.session();
      await out.signOut();
      tell([await nobody.session(), await seen(nobody.me()), await seen(broken.me()), await seen(out.me())]);
    """)
    assert told[0] == {"state": "anonymous"}
    assert [one["code"] for one in told[1:]] == ["session_required"] * 3


# A ticket for the page ------------------------------------------------------------------------------------------------


def test_a_ticket_for_a_page_signs_in_there_and_nowhere_else(
    script: Script, package: Package, service: Service
) -> None:
    shop = service.settings["STOREFRONT_ORIGINS"]
    told = script(
        """
      const { createTicket } = await import(given.address);
      const customerAccessToken = await token("ella");
      const asked = { baseUrl: `${given.url}/`, token: given.secret, customerAccessToken, origin: given.shop };
      tell({
        ticket: await createTicket(asked),
        foreign: await createTicket(asked),
        refused: await seen(createTicket({ ...asked, token: "another" })),
        stale: await seen(createTicket({ ...asked, customerAccessToken: "shcat_stale_token" })),
        nowhere: await seen(createTicket({ ...asked, baseUrl: "http://127.0.0.1:9" })),
        other: await seen(createTicket({ ...asked, baseUrl: given.sandbox })),
      });
    """,
        address=(package.folder / "dist" / "server.js").as_uri(),
        shop=shop,
    )
    bring = {"origin": shop, "sec_fetch_site": "same-site"}
    refused, signed = (
        service.shopper().api("POST", "/session", {"ticket": told[name]}, **headers)
        for name, headers in (("foreign", {}), ("ticket", bring))
    )
    assert (refused.status_code, signed.json()["state"]) == (401, "enrolled")
    seen = [(told[name]["code"], told[name]["status"]) for name in ("refused", "stale", "nowhere", "other")]
    assert seen == [("session_required", 401), ("token_rejected", 401), ("unreachable", 0), ("unreachable", 404)]
    assert (told["stale"]["retryable"], told["nowhere"]["retryable"]) == (False, True)
    assert told["stale"]["message"]


def test_an_error_says_whether_a_redemptions_key_is_done_with(script: Script) -> None:
    told = script("""
      const zoe = as("zoe"), nobody = createLoyalty({ baseUrl: given.url, server: { token: given.secret } });
      const final = (loyalty) => loyalty.redeem(given.reward, { key: "k".repeat(16) })
        .catch(({ code, isFinal }) => [code, isFinal]);
      await zoe.session();
      const before = await final(nobody), spent = await final(zoe);
      tell([before, spent]);
    """)
    assert told == [["session_required", False], ["insufficient_points", True]]


# The cookie of the shopper's own request ------------------------------------------------------------------------------


def test_a_server_on_the_services_host_hands_the_cookie_on_and_back(script: Script) -> None:
    told = script("""
      const lines = [];
      let cookie = "theme=dark; other=1";
      const shop = createLoyalty({
        baseUrl: given.url,
        fetch: (url, init) => { wire.push(new Headers(init.headers).get("cookie")); return fetch(url, init); },
        cookies: { get: () => cookie, set: (line) => { lines.push(line); cookie += `; ${line.split(";")[0]}`; } },
      });
      const signed = await shop.signIn(await token("ella"));
      const me = await shop.me();
      await shop.refer("friend@example.com");
      await shop.program();
      await shop.signOut();
      tell({ signed, balance: me.points.balance, line: lines[0], last: lines.at(-1), wire });
    """)
    assert (told["signed"]["state"], told["balance"]) == ("enrolled", 1240)
    assert told["line"].startswith(f"{COOKIE}=")
    assert "HttpOnly" in told["line"]
    assert "Max-Age=0" in told["last"]
    assert told["wire"][0] is None
    assert told["wire"][3] is None, "what is the same for everybody is asked without"
    assert all(sent.startswith(f"{COOKIE}=") and "theme" not in sent for sent in (told["wire"][1], told["wire"][2]))
