"""Everything secret or personal that passes through the service, so that it can be looked for where it must not be."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import psycopg
import redis

from support.services import Service, Vendors
from support.shopper import Shopper
from support.vendor_faults import trouble

FIVE_OFF = "9e7a4c28-31d6-4c7b-b0f5-d8a1e2c40b01"
FRIENDS = ("canary.friend@example.org", "second.canary@example.org")
STRANGE = "canary-in-a-query"
# How every token of the two vendors begins; the last ones are the base64 of JSON Web Tokens' headers and claims.
TOKENS = re.compile(r"shcat_|shcrt_|shcac_|eyJhbGciOi|eyJraWQiOi|eyJ0eXAiOi|eyJzdWIiOi|eyJpc3MiOi")
SECRET_SETTINGS = (
    "SHOPIFY_CLIENT_SECRET", "SHOPIFY_STOREFRONT_TOKEN", "OKENDO_API_KEY", "SUBTOTAL_API_KEY",
    "SHOPIFY_WEBHOOK_SECRET",
    "SUBTOTAL_SIGNING_SECRET",
)  # fmt: skip


@dataclass
class Visit:
    """What happened while everybody was here: the browsers, and every value that is somebody's secret."""

    service: Service
    vendors: Vendors
    shoppers: list[Shopper] = field(default_factory=list)
    cookies: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    handed_in: set[str] = field(default_factory=set)

    @property
    def secrets(self) -> set[str]:
        """Tokens, keys and passwords: nobody but us and the vendor may see them."""
        given = self.service.settings
        keys = {part.partition(":")[2].rstrip("=") for part in given["SECRET_KEYS"].split(",")}
        return keys | {given[name] for name in SECRET_SETTINGS} | self.handed_in | set(self._tokens())

    @property
    def addresses(self) -> set[str]:
        return {member["email"] for member in self.vendors.state()["members"].values()} | set(FRIENDS)

    @property
    def names(self) -> set[str]:
        return {"Ella Martin", "Okafor", "Lindqvist", "Nakamura", "الخطيب"}

    @property
    def codes(self) -> set[str]:
        members = self.vendors.state()["members"].values()
        return {redemption["code"] for member in members for redemption in member["redemptions"] if redemption["code"]}

    @property
    def cookie_parts(self) -> set[str]:
        """Whole values, and the id and the share of the key that they consist of."""
        return self.cookies | {cookie[:22] for cookie in self.cookies} | {cookie[22:44] for cookie in self.cookies}

    def _tokens(self) -> Iterator[str]:
        for call in self.vendors.state()["calls"]:
            shown = call["headers"].get("authorization", "")
            yield from (part for part in shown.split() if len(part) > 8)
            yield from parse_qs(call["query"]).get("id_token_hint", [])

    def enter(self, persona: str = "") -> Shopper:
        shopper = self.service.signed_in(persona) if persona else self.service.shopper()
        self.shoppers.append(shopper)
        return shopper

    def leave(self, shopper: Shopper) -> None:
        self.note(shopper)
        shopper.sign_out()

    def note(self, shopper: Shopper) -> None:
        """Remember the cookies and the hidden fields of this browser's pages."""
        self.cookies |= {value for name, value in shopper.cookies.items()}
        for reply in shopper.replies:
            self.forms |= set(re.findall(r'name="(?:csrf|consent)" value="([^"]+)"', reply.text))


def everybody_was_here(service: Service, vendors: Vendors) -> Visit:
    """Whole journeys of every persona, and what goes wrong on them."""
    visit = Visit(service, vendors)
    _enrolled(visit)
    _joining(visit)
    for persona in ("blake", "zoe", "rami"):
        shopper = visit.enter(persona)
        for path in ("/", "/rewards", "/join", "/refer"):
            shopper.get(f"{path}?utm={STRANGE}")
        shopper.api("GET", "/me/rewards")
        visit.leave(shopper)
    _handed_in(visit)
    _failing(visit)
    _lost(visit)
    return visit


def _enrolled(visit: Visit) -> None:
    ella = visit.enter("ella")
    for path in ("/", "/rewards", "/refer", "/welcome", "/nowhere"):
        ella.get(path)
    for path in ("/program", "/legal-policies", "/me", "/me/rewards", "/me/referrals", "/session"):
        ella.api("GET", path)
    assert ella.submit(ella.get(f"/rewards/{FIVE_OFF}"), f"/rewards/{FIVE_OFF}").status == 200
    form = ella.get("/refer")
    assert ella.submit(form, "/refer", email=FRIENDS[0]).status == 200
    ella.submit(form, "/refer", email=FRIENDS[0])
    assert ella.submit(form, "/refer", email=visit.vendors.member("ella")["email"]).status == 422
    ella.submit(form, "/refer", email=FRIENDS[1], csrf="wrong")
    ella.api("POST", "/me/referrals", {"email": FRIENDS[1], "name": "x"})
    ella.api("POST", "/me/referrals", {"email": [FRIENDS[1]]})
    visit.leave(ella)


def _joining(visit: Visit) -> None:
    penny = visit.enter("penny")
    form = penny.get("/join")
    with trouble(visit.vendors, "customer_activation", "status:400"):
        penny.submit(form, "/join")
    assert penny.submit(penny.get("/join"), "/join").path == "/welcome"
    visit.leave(penny)


def _handed_in(visit: Visit) -> None:
    """Both kinds of token from a storefront, good and bad ones, and one in an address."""
    tokens = {"customerAccessToken": visit.vendors.token("tara"), "storefrontCustomerAccessToken": ""}
    tokens["storefrontCustomerAccessToken"] = visit.vendors.token("ella", kind="storefront")
    visit.handed_in |= set(tokens.values())
    for name, token in tokens.items():
        shopper = visit.enter()
        assert shopper.api("POST", "/session", {name: token}).status_code == 201
        shopper.api("GET", "/me")
        visit.note(shopper)
        bad = f"{token}-canary"
        shopper.api("POST", "/session", {name: bad})
        shopper.api("POST", "/session", {"token": token})
        shopper.api("POST", f"/session?token={token}", {})
        shopper.api("GET", f"/me?token={token}")
        shopper.api("DELETE", "/session")


def _failing(visit: Visit) -> None:
    ella = visit.enter("ella")
    for operation in ("customer", "customer_redemption_rules", "referrals", "referral_sender", "login"):
        for kind in ("status:500", "status:400", "garbage", "cut_after"):
            visit.service.clock.advance(4000)
            with trouble(visit.vendors, operation, kind):
                for path in ("/", "/rewards", "/refer"):
                    ella.get(path)
                ella.api("GET", "/me/rewards")
    for number, kind in enumerate(("status:403", "garbage", "cut_after")):
        with trouble(visit.vendors, "redeem", kind):
            body, key = {"rewardId": FIVE_OFF}, f"canary-of-an-intent-{number}"
            ella.api("POST", "/me/redemptions", body, idempotency_key=key)
            ella.get(f"/redemptions/{key}")
    with trouble(visit.vendors, "customer", "status:401"):
        ella.get("/")
        ella.api("GET", "/me")
    visit.note(ella)


def _lost(visit: Visit) -> None:
    """Sign-ins that lead nowhere, with whatever came back in the address."""
    for operation, kind in (("shopify_token", "garbage"), ("shopify_graphql", "html"), ("shopify_token", "status:401")):
        shopper = visit.enter()
        authorize = shopper.get("/login?login_hint=" + FRIENDS[0])
        landed = visit.vendors.http.post(authorize.url, data={"persona": "ella"})
        with trouble(visit.vendors, operation, kind):
            shopper.get(landed.headers["location"])
        # The same code again, and then without its browser.
        shopper.get(landed.headers["location"])
        visit.note(shopper)
        shopper.cookies.clear()
        shopper.get("/callback?" + urlsplit(landed.headers["location"]).query)
        shopper.get(f"/callback?error=access_denied&error_description={STRANGE}&state=x")


def everything_in(store: "redis.Redis") -> str:
    """Every key and value, whatever its type."""
    readers: dict[str, Any] = {
        "string": store.get,
        "hash": store.hgetall,
        "set": store.smembers,
        "zset": lambda key: store.zrange(key, 0, -1, withscores=True),
        "list": lambda key: store.lrange(key, 0, -1),
    }
    keys = cast(list[bytes], list(store.scan_iter(count=1000)))
    return "\n".join(f"{key!r} {readers[cast(bytes, store.type(key)).decode()](key)!r}" for key in keys)


def everything_recorded(rows: "psycopg.Connection[tuple[object, ...]]") -> str:
    """Every line of every table of ours."""
    found = rows.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    tables = [str(name) for (name,) in found]
    lines = [line for table in tables for (line,) in rows.execute(f"SELECT t::text FROM {table} t").fetchall()]  # noqa: S608  # a table of ours
    return "\n".join(map(str, lines))
