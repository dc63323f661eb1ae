"""Every page in every state it has, and how a shopper gets there; accessibility tests and screenshots walk through."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import psycopg

from support.browser_visits import Visit
from support.services import Vendors, worker_in_thread
from support.shopper import Shopper

Going: TypeAlias = Callable[[Visit, Vendors], None]
FIVE_OFF = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
TRAVEL_SIZE = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b04"
TIKTOK = "/earn/0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05"
INSTAGRAM = "/earn/0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
YOUTUBE = "/earn/0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a06"
REVIEW = "/earn/0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a03"
GOLD_ONLY = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b05"
STORE_CREDIT = "/rewards/9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b06"
REDEEM = "main form button"
AWAY = "status:500"
GONE = "status:404"
RETAIL_STATES = ("active", "unauthenticated", "initialized", "disconnected")
OFTEN = 9
TRY_AGAIN = "Try again"
PATIENCE_SECONDS = 5
# Sends the form and does not wait for the answer.
SEND = """() => {
  const form = document.querySelector("main form");
  fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true}).catch(() => {});
}"""


@dataclass(frozen=True)
class Place:
    """One state of one page. `vendor` is an operation that fails on the way there."""

    name: str
    going: Going
    says: str
    vendor: str = ""
    kind: str = AWAY

    def visit(self, visit: Visit, vendors: Vendors) -> None:
        vendors.http.delete(f"{vendors.url}/_control/faults")
        if self.vendor:
            vendors.fault(self.vendor, self.kind, OFTEN)
        self.going(visit, vendors)
        # The service spares a vendor that has just failed for two seconds; a quick walk comes back earlier than that.
        latest = time.monotonic() + PATIENCE_SECONDS
        while not self.vendor and self.says not in visit.words and TRY_AGAIN in visit.words:
            assert time.monotonic() < latest, f"{self.name} says {TRY_AGAIN!r} for too long:\n{visit.words}"
            visit.go(visit.path)
        assert self.says in visit.words, f"{self.name} does not say {self.says!r} but:\n{visit.words}"


def at(path: str) -> Going:
    return lambda visit, vendors: _go(visit, path)


def _go(visit: Visit, path: str) -> None:
    visit.go(path)


def redeeming(path: str, kind: str = "") -> Going:
    """Redeem the reward while the vendor does this."""

    def going(visit: Visit, vendors: Vendors) -> None:
        visit.go(f"{path}?again=1")
        if kind:
            vendors.fault("redeem", kind)
        visit.page.locator(REDEEM).click()
        visit.page.wait_for_url("**/redemptions/*")

    return going


def _being_checked(visit: Visit, vendors: Vendors) -> None:
    """Redeem while the vendor is slow, leave, and look at the outcome meanwhile."""
    vendors.fault("redeem", "delay", seconds=3)
    visit.go(f"{FIVE_OFF}?again=1")
    key = visit.page.locator("input[name=key]").input_value()
    visit.run(SEND)
    latest = time.monotonic() + 3
    while visit.go(f"/redemptions/{key}") == 404:
        assert time.monotonic() < latest, "the redemption was never written down"


def _for_long(visit: Visit, vendors: Vendors) -> None:
    """It was sent longer ago than a shopper is calm about."""
    with psycopg.connect(visit.service.settings["DATABASE_URL"]) as ledger:
        ledger.execute("UPDATE redemptions SET sent_at = now() - interval '1 minute' WHERE check_until IS NOT NULL")
    visit.go(visit.path)


def _cancelled(visit: Visit, vendors: Vendors) -> None:
    visit.go("/login")
    visit.follow("Cancel")
    visit.page.wait_for_url("**/callback?*")


def _given_up(visit: Visit, vendors: Vendors) -> None:
    """The answer is lost, the vendor's history cannot be read, and the time for finding out is over."""
    redeeming(FIVE_OFF, "cut_after")(visit, vendors)
    vendors.fault("transactions", AWAY, OFTEN)
    with psycopg.connect(visit.service.settings["DATABASE_URL"]) as ledger:
        ledger.execute("UPDATE redemptions SET check_until = now() WHERE check_until IS NOT NULL")
    with worker_in_thread(visit.service.settings):
        visit.page.get_by_role("heading", name="could not confirm").wait_for()


def _not_ready_any_more(visit: Visit, vendors: Vendors) -> None:
    """The points were spent elsewhere between reading the page and pressing the button."""
    visit.go(STORE_CREDIT)
    other = Shopper(visit.url)
    other.sign_in("ella")
    other.submit(other.get(FIVE_OFF), FIVE_OFF)
    other.close()
    visit.page.locator(REDEEM).click()
    visit.page.wait_for_selector("[role=alert]")


def _of_a_lost_session(visit: Visit, vendors: Vendors) -> None:
    visit.page.context.clear_cookies()
    visit.go("/welcome")


def _with_the_ticket_of(persona: str) -> Going:
    def going(visit: Visit, vendors: Vendors) -> None:
        visit.go(f"/session/continue?ticket={visit.service.ticket(vendors.token(persona))}")

    return going


def _reaching(tier: str, path: str) -> Going:
    def going(visit: Visit, vendors: Vendors) -> None:
        vendors.control("member", persona="rami", tier=tier)
        visit.go(path)

    return going


def _linked(*states: str) -> Going:
    """Accounts at retailers in these states, and the page that shows them."""

    def going(visit: Visit, vendors: Vendors) -> None:
        for number, state in enumerate(states):
            shop = ("walmart", "target", "sephora", "best-buy")[number]
            vendors.control("subtotal/link", persona="ella", retailer=shop)
            vendors.control("subtotal/status", persona="ella", retailer=shop, status=state)
        visit.go("/retailers")

    return going


def _linking(visit: Visit, vendors: Vendors) -> None:
    """On Subtotal's page and back."""
    visit.go("/retailers")
    visit.press("Choose a shop")
    visit.page.locator("input[name=retailer][value=costco]").check()
    visit.press("Link account")
    visit.page.wait_for_url("**/retailers?**")


def _unlinking(visit: Visit, vendors: Vendors) -> None:
    visit.go("/retailers")
    visit.page.locator("main summary").first.click()
    visit.page.locator("main details[open] button").first.click()
    visit.page.wait_for_url("**/retailers?unlinked=1")


def _with_points_from_elsewhere(visit: Visit, vendors: Vendors) -> None:
    customer = vendors.member("ella")["customerId"]
    with psycopg.connect(visit.service.settings["DATABASE_URL"]) as rows:
        for number, (state, points) in enumerate((("paid", 85), ("waiting", None))):
            rows.execute(
                "INSERT INTO awards (reference, event, action, earning_rule_id, customer_id, payee, retailer_id,"
                " connection_id, purchase_id, value, state, points, try_until) VALUES (%s, 'purchase.created',"
                " 'Shop at a linked retailer', 'r', %s, 'p', 'walmart', 'c', %s, 42.50, %s, %s, now())",
                (f"A-{number}", customer, f"p-{number}", state, points),
            )
    visit.go("/retailers")


def inviting(email: str) -> Going:
    def going(visit: Visit, vendors: Vendors) -> None:
        visit.go("/refer")
        visit.page.get_by_label("Your friend's email address").fill(email)
        visit.press("Send invitation")
        visit.page.wait_for_selector(".notice")

    return going


def earning(path: str, kind: str = "") -> Going:
    """Earn this by a click while the vendor does that."""

    def going(visit: Visit, vendors: Vendors) -> None:
        visit.go(path)
        if kind:
            # In another language the form is sent again.
            vendors.fault("trigger", kind, OFTEN)
        visit.page.locator(REDEEM).click()
        visit.page.wait_for_selector(".notice")

    return going


def born_on(day: str, month: str) -> Going:
    def going(visit: Visit, vendors: Vendors) -> None:
        visit.go("/earn/birthday")
        visit.page.get_by_label("Day").fill(day)
        visit.page.get_by_label("Month").select_option(month)
        visit.press("Save my birthday")
        visit.page.wait_for_selector(".notice")

    return going


def _joining_under_new_terms(visit: Visit, vendors: Vendors) -> None:
    visit.go("/join")
    vendors.control("policies", version="2031-01-01", html="By joining, you agree to <em>quite other</em> terms.")
    visit.press("Accept terms & join")
    visit.page.wait_for_selector("[role=alert]")


def _joined(visit: Visit, vendors: Vendors) -> None:
    visit.go("/join")
    visit.press("Accept terms & join")
    visit.page.wait_for_url("**/welcome")


def _with_a_long_history(visit: Visit, vendors: Vendors) -> None:
    vendors.control("history", persona="zoe", lines=600)
    visit.go("/")


def _without_prices(visit: Visit, vendors: Vendors) -> None:
    vendors.control("dialect", customer_redemption_rules={"names": {"points": "unheard-of"}})
    visit.go("/rewards")
    vendors.control("dialect")


def _signed_out(visit: Visit, vendors: Vendors) -> None:
    visit.go("/")
    visit.press("Sign out")
    visit.page.wait_for_url("**/signed-out?state=*")


def _signed_out_everywhere(visit: Visit, vendors: Vendors) -> None:
    visit.go("/")
    visit.follow("Sign out everywhere")
    visit.press("Sign out everywhere")
    visit.page.wait_for_url("**/signed-out?state=*")


# Who walks where, in this order: what could not be loaded comes first, before the service has a copy of it.
# fmt: off
TOURS: dict[str, list[Place]] = {
    "stranger": [
        Place("earn without okendo",        at("/earn"),                    "couldn't load", "earning_rules"),
        Place("tiers without okendo",       at("/tiers"),                   "couldn't load", "vip_program"),
        Place("faq without okendo",         at("/faq"),                     "couldn't load", "faqs"),
        Place("overview without rewards",   at("/"),                        "couldn't load", "redemption_rules"),
        Place("reward without okendo",      at(FIVE_OFF),                   "give this reference", "redemption_rules"),
        Place("overview",                   at("/"),                        "Sign in to start"),
        Place("earn",                       at("/earn"),                    "Sign in to start earning"),
        Place("way to earn",                at(TIKTOK),                     "Sign in to earn this"),
        Place("birthday",                   at("/earn/birthday"),           "Sign in to add yours"),
        Place("tiers",                      at("/tiers"),                   "Sign in to see where you stand"),
        Place("faq",                        at("/faq"),                     "Do points expire?"),
        Place("faq found",                  at("/faq?q=order+pending"),     "1 answer for"),
        Place("faq not found",              at("/faq?q=zebra"),             "Try another word"),
        Place("join",                       at("/join"),                    "Sign in to join"),
        Place("rewards",                    at("/rewards"),                 "$5 off your order"),
        Place("reward",                     at(FIVE_OFF),                   "Sign in to redeem"),
        Place("reward of a higher tier",    at(GOLD_ONLY),                  "Only Gold members"),
        Place("coupons",                    at("/coupons"),                 "Sign in to see your coupons"),
        Place("activity",                   at("/activity"),                "Sign in to see your activity"),
        Place("refer",                      at("/refer"),                   "Sign in to invite"),
        Place("retailers",                  at("/retailers"),               "Sign in to link a shop"),
        Place("accessibility",              at("/accessibility"),           "What we hold ourselves to"),
        Place("members only",               at("/welcome"),                 "Please sign in"),
        Place("signed out",                 at("/signed-out"),              "You are signed out"),
        Place("sign-in failed",             at("/callback?state=again.x"),  "Sign-in did not work"),
        Place("sign-in cancelled",          _cancelled,                     "You are not signed in"),
        Place("no such page",               at("/no-such-page"),            "does not exist"),
        Place("problem",                    at("/problems/rate_limited"),  "Rate limited"),
        Place("docs",                       at("/api/v1/docs"),             "JSON for your storefront"),
    ],
    "penny": [
        Place("join paused",                at("/join"),                    "paused", "legal_policies"),
        Place("overview without points",    at("/"),                        "couldn't load your points", "customer"),
        Place("overview",                   at("/"),                        "Waiting for you"),
        Place("rewards",                    at("/rewards"),                 "Once you join"),
        Place("reward",                     at(FIVE_OFF),                   "Join to redeem"),
        Place("reward of a higher tier",    at(GOLD_ONLY),                  "Join the program"),
        Place("coupons without okendo",     at("/coupons"),                 "can't read your membership", "customer"),
        Place("coupons",                    at("/coupons"),                 "Join to get coupons"),
        Place("activity",                   at("/activity"),                "Join to use your points"),
        Place("refer",                      at("/refer"),                   "Join to invite"),
        Place("join",                       at("/join"),                    "Accept terms & join"),
        Place("earn",                       at("/earn"),                    "Some of these are for members"),
        Place("way to earn",                at(TIKTOK),                     "Join to earn this"),
        Place("birthday",                   at("/earn/birthday"),           "Join to add yours"),
        Place("tiers",                      at("/tiers"),                   "Tiers are for members"),
        Place("join under new terms",       _joining_under_new_terms,       "The terms have changed"),
        Place("welcome",                    _joined,                        "you are in"),
        Place("welcome without okendo",     at("/welcome"),                 "couldn't load", "customer"),
        Place("already a member",           at("/join"),                    "already a member"),
    ],
    "ella": [
        Place("overview without points",    at("/"),                        "couldn't load your points", "customer"),
        Place("rewards without okendo",     at("/rewards"),                 "couldn't", "customer_redemption_rules"),
        Place("reward without okendo",      at(FIVE_OFF),                   "Try again", "customer_redemption_rules"),
        Place("refer without okendo",       at("/refer"),                   "couldn't load your link", "referrals"),
        Place("still signed in",            at("/signed-out"),              "You are still signed in"),
        Place("earn without membership",    at("/earn"),                    "what is open to you", "customer"),
        Place("earn without own rules",     at("/earn"),                    "done already", "customer_earning_rules"),
        Place("birthday without okendo",    at("/earn/birthday"),           "We can't read", "customer"),
        Place("tiers without okendo",       at("/tiers"),                   "couldn't load your tier", "customer"),
        Place("tiers without spend",        at("/tiers"),                   "The next tier is", "spend"),
        Place("member unknown",             at("/"),                        "not know this account", "customer", GONE),
        Place("overview without history",   at("/"),                        "load your coupons", "transactions"),
        Place("coupons without history",    at("/coupons"),                 "load your coupons", "transactions"),
        Place("activity without history",   at("/activity"),                "load your history", "transactions"),
        Place("activity without points",    at("/activity"),                "load your points", "customer"),
        Place("coupons of no program",      at("/coupons"),                 "does not tell us", "transactions", GONE),
        Place("activity of no program",     at("/activity"),                "does not tell us", "transactions", GONE),
        Place("coupons",                    at("/coupons"),                 "OKE-WELCOMEBACK"),
        Place("activity",                   at("/activity"),                "Older"),
        Place("overview",                   at("/"),                        "to reach Silver"),
        Place("rewards",                    at("/rewards"),                 "Ready for you"),
        Place("reward",                     at(FIVE_OFF),                   "Redeem 500 points"),
        Place("reward almost there",        at(TRAVEL_SIZE),                "760 points to go"),
        Place("reward of a higher tier",    at(GOLD_ONLY),                  "For Gold members"),
        Place("earn",                       at("/earn"),                    "Earn this now"),
        Place("way to earn",                at(REVIEW),                     "With a picture 20 points more"),
        Place("way to earn, not now",       earning(YOUTUBE, "status:500"), "There is a problem"),
        Place("earned store credit",        earning(YOUTUBE),               "You earned $2 in store credit"),
        Place("earned before",              at(INSTAGRAM),                  "You have done this"),
        Place("birthday that there is not", born_on("30", "2"),             "There is a problem"),
        Place("birthday",                   at("/earn/birthday"),           "Save my birthday"),
        Place("tiers",                      at("/tiers"),                   "Shop for $114.60 more to reach Silver"),
        Place("faq",                        at("/faq"),                     "Do points expire?"),
        Place("refer",                      at("/refer"),                   "Your link"),
        Place("refer sent",                 inviting("a@example.com"),      "an email is on its way"),
        Place("refer wrong address",        inviting("a@nowhere"),          "There is a problem"),
        Place("redemption failed",          redeeming(FIVE_OFF, "status:422"), "Your points were not taken"),
        Place("reward not ready any more",  _not_ready_any_more,            "There is a problem"),
        Place("redemption of nobody",       at("/redemptions/0123456789abcdef"), "does not exist"),
        Place("retailers without subtotal", at("/retailers"),               "couldn't load", "subtotal_connections"),
        Place("retailers",                  at("/retailers"),               "No shop is linked yet"),
        Place("retailers coming back",      _linking,                       "Welcome back"),
        Place("retailers of all kinds",     _linked(*RETAIL_STATES),        "wants you to sign in again"),
        Place("retailers with points",      _with_points_from_elsewhere,    "+85 points"),
        Place("retailers unlinked",         _unlinking,                     "are not collected any more"),
        Place("another one's ticket",       _with_the_ticket_of("zoe"),     "Continue as Zoë Lindqvist?"),
        Place("signed out",                 _signed_out,                    "You are signed out"),
    ],
    "zoe": [
        Place("overview",                   at("/"),                        "first points will show up"),
        Place("rewards",                    at("/rewards"),                 "To save up for"),
        Place("refer",                      at("/refer"),                   "No invitations yet"),
        Place("coupons",                    at("/coupons"),                 "No coupons right now"),
        Place("activity",                   at("/activity"),                "Nothing has happened yet"),
        Place("earned points",              earning(INSTAGRAM),             "You earned 50 points"),
        Place("earned a coupon",            earning(TIKTOK),                "You earned a coupon"),
        Place("earn",                       at("/earn"),                    "Done"),
        Place("birthday saved",             born_on("29", "2"),             "February 29"),
        Place("overview, history too long", _with_a_long_history,           "may have more coupons"),
        Place("rewards without prices",     _without_prices,                "Price not known"),
        Place("sign out everywhere",        at("/logout/everywhere"),       "on every phone and computer"),
        Place("signed out everywhere",      _signed_out_everywhere,         "You are signed out everywhere"),
    ],
    "tara": [
        Place("overview",                   at("/"),                        "This is the highest tier"),
        Place("rewards",                    at("/rewards"),                 "15% off for Gold members"),
        Place("tiers",                      at("/tiers"),                   "You have reached the top: Gold"),
        Place("birthday",                   at("/earn/birthday"),           "February 29"),
        Place("redemption succeeded",       redeeming(FIVE_OFF),            "Your code"),
        Place("overview with a coupon",     at("/"),                        "Use it by"),
        Place("redemption of store credit", redeeming(STORE_CREDIT),        "store credit"),
        Place("redemption not known yet",   redeeming(FIVE_OFF, "cut_after"), "Checking your reward"),
        Place("redemption unknown",         _for_long,                      "still confirming"),
        Place("coupons meanwhile",          at("/coupons"),                 "still being checked"),
        Place("activity meanwhile",         at("/activity"),                "Being checked"),
        Place("overview meanwhile",         at("/"),                        "still being checked"),
        Place("rewards meanwhile",          at("/rewards"),                 "still being checked"),
        Place("redemption under way",       _being_checked,                 "Checking your reward"),
        Place("redemption not confirmed",   _given_up,                      "The shop can look it up"),
    ],
    "rami": [
        Place("overview",                   at("/"),                        "رامي"),
        Place("earn",                       at("/earn"),                    "320 points"),
        Place("tiers",                      at("/tiers"),                   "Your tier is Silver"),
        Place("another tier",               _reaching("Gold", "/"),         "You have reached Gold"),
        Place("tiers, another one",         at("/tiers"),                   "You have reached the top: Gold"),
        Place("sign-in lost",               _of_a_lost_session,             "Please sign in"),
    ],
    "blake": [
        Place("blocked",                    at("/"),                        "not available for this account"),
    ],
}
# fmt: on


def tour(persona: str, visit: Visit, vendors: Vendors) -> Iterator[Place]:
    """Walk through all places of this persona; the page is there whenever one is yielded."""
    if persona != "stranger":
        visit.sign_in(persona)
    for place in TOURS[persona]:
        place.visit(visit, vendors)
        yield place
