"""Every method of the client in trouble: its answer is lost, Okendo is away, it is asked too often, or is refused."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.carts import cart_of
from support.client_package import Package
from support.node import run
from support.sandbox_catalogue import FIVE_OFF
from support.services import TICKETS_TOKEN, Service, Start, Vendors

pytest_plugins = ["support.built_client"]
Script: TypeAlias = Callable[..., Any]
INSTAGRAM = "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04"
CODE = "OKE-WELCOMEBACK"
KEY = "an-intent-of-a-form-1"
READS = (
    "session", "program", "policies", "me", "rewards", "coupons", "referrals", "activity", "retailers", "redemption",
)  # fmt: skip
WRITES = ("join", "applyCoupon", "earn", "setBirthday", "refer", "signOut")
# What tells nothing but what the service has in its own stores, or at hand.
OF_OURS = {"session", "program", "policies", "retailers", "redemption", "signOut"}
OKENDO = (
    "customer", "customer_redemption_rules", "transactions", "customer_earning_rules", "referrals", "referral_count",
    "trigger", "birthday", "referral_request", "redeem", "spend",
)  # fmt: skip
BEGIN = """
let handle;
const asked = [];
let losing = false;
const through = async (url, init) => {
  const path = new URL(url).pathname;
  const reply = await fetch(url, init);
  if (path.endsWith("/session-handles")) return reply;
  asked.push(path);
  if (losing) { losing = false; throw new TypeError("the connection broke off"); }
  return reply;
};
const as = (persona) => createLoyalty({
  baseUrl: given.url, fetch: through, getToken: () => token(persona),
  server: { token: given.secret, load: () => handle, save: (found) => { handle = found; } },
});
const callsOf = (one, words) => ({
  session: () => one.session(),
  program: () => one.program(),
  policies: () => one.policies(),
  me: () => one.me(["coupons"]),
  rewards: () => one.rewards(),
  coupons: () => one.coupons(),
  referrals: () => one.referrals(),
  activity: () => one.activity(),
  retailers: () => one.retailers(),
  redemption: () => one.redemption(given.key),
  redeem: () => one.redeem(given.reward),
  applyCoupon: () => one.applyCoupon(given.code, given.cart),
  earn: () => one.earn(given.rule),
  setBirthday: () => one.setBirthday({ day: 1, month: 2 }),
  refer: () => one.refer("friend@example.com"),
  join: () => one.join(words),
  signOut: () => one.signOut(),
});
// Of each method: what came of it, and how often the service was asked.
const each = async (calls, names, before = async () => {}) => {
  const told = {};
  for (const name of names) {
    await before();
    asked.length = 0;
    const { answer, ...failure } = await seen(calls[name]());
    told[name] = { done: failure.code === undefined, ...failure, asked: asked.length };
  }
  return told;
};
"""


def script_for(service: Service, vendors: Vendors, package: Package, folder: Path) -> Script:
    known = {
        "url": service.url, "sandbox": vendors.url, "secret": TICKETS_TOKEN, "reward": FIVE_OFF, "rule": INSTAGRAM,
        "code": CODE, "cart": cart_of(vendors, subtotal=50, persona="ella"), "key": KEY,
        "reads": READS, "writes": WRITES,
    }  # fmt: skip
    return lambda text, **more: run(BEGIN + text, package.folder / "dist" / "server.js", folder, **known | more)


@pytest.fixture
def script(package: Package, service: Service, vendors: Vendors, tmp_path: Path) -> Script:
    return script_for(service, vendors, package, tmp_path)


def test_a_lost_answer_is_asked_for_again_by_reads_alone(script: Script, vendors: Vendors) -> None:
    told: Mapping[str, Any] = script("""
      const ella = as("ella");
      await ella.redeem(given.reward, { key: given.key });
      const lose = async () => { losing = true; };
      const calls = callsOf(ella);
      const reads = await each(calls, given.reads, lose);
      const redeemed = await each(calls, ["redeem"], lose);
      const writes = await each(calls, given.writes.filter((name) => name !== "join"), lose);
      handle = undefined;
      const penny = as("penny");
      await penny.session();
      writes.join = (await each(callsOf(penny, await penny.policies()), ["join"], lose)).join;
      tell({ reads, redeemed, writes });
    """)
    assert {name: (one["done"], one["asked"]) for name, one in told["reads"].items()} == dict.fromkeys(READS, (True, 2))
    assert told["redeemed"]["redeem"]["done"] is True
    assert len(vendors.member("ella")["redemptions"]) == 2, "this one, and the one before"
    writes = {name: (one["code"], one["status"], one["asked"]) for name, one in told["writes"].items()}
    assert writes == dict.fromkeys(WRITES, ("unreachable", 0, 1))


def test_while_okendo_is_away_each_says_so_and_nothing_is_written_twice(script: Script, vendors: Vendors) -> None:
    told: Mapping[str, Any] = script(
        """
      const ella = as("ella");
      await ella.session();
      for (const operation of given.okendo) await fault(operation, "status:503", 99);
      const calls = callsOf(ella);
      const reads = given.reads.filter((name) => name !== "redemption");
      tell(await each(calls, [...reads, "redeem", "earn", "setBirthday", "refer"]));
    """,
        okendo=OKENDO,
    )
    failed = {name: one for name, one in told.items() if not one["done"]}
    assert set(told) - set(failed) == OF_OURS - {"redemption", "signOut"}
    assert {name for name, one in failed.items() if one["status"] not in {502, 503, 504}} == set()
    assert {name for name, one in failed.items() if one["code"] == "unreachable"} == set()
    for operation in ("trigger", "birthday", "referral_request"):
        assert len(vendors.calls(operation)) <= 1, operation


def test_asked_too_often_each_says_how_long_to_wait(
    package: Package, start: Start, vendors: Vendors, tmp_path: Path
) -> None:
    told: Mapping[str, Any] = script_for(start(REQUESTS_PER_MINUTE="2"), vendors, package, tmp_path)("""
      const ella = as("ella");
      await ella.session();
      const words = { version: "1", digest: "0123456789abcdef0123456789abcdef" };
      const ofEverybody = ["program", "policies"];
      const some = [...given.reads, ...given.writes, "redeem"].filter((name) => !ofEverybody.includes(name));
      tell(await each(callsOf(ella, words), some));
    """)
    assert {name: one.get("code") for name, one in told.items()} == dict.fromkeys(told, "rate_limited")
    assert {name for name, one in told.items() if not one["retryable"] or one["retryAfter"] <= 0} == set()
    assert {name for name, one in told.items() if one["asked"] != 1} == set(), "it is a minute, which nobody waits for"


def test_a_refusal_is_told_with_its_code_and_is_no_reason_to_try_again(script: Script) -> None:
    told: Mapping[str, Any] = script("""
      const ella = as("ella"), calls = callsOf(ella, { version: "1", digest: "0123456789abcdef0123456789abcdef" });
      await seen(calls.earn());
      await seen(calls.setBirthday());
      const twice = await each(calls, ["earn"]);
      const other = await seen(ella.setBirthday({ day: 2, month: 2 }));
      const unknown = await seen(ella.applyCoupon("NOBODYS", given.cart));
      const nowhere = await seen(ella.earn("nothing"));
      const absent = await seen(ella.redemption(given.key));
      const gone = await seen(ella.redeem("nothing"));
      handle = undefined;
      const penny = callsOf(as("penny"), { version: "1", digest: "0123456789abcdef0123456789abcdef" });
      const { join, redeem } = await each(penny, ["join", "redeem"]);
      tell({ earn: twice.earn, other, unknown, nowhere, absent, gone, join, redeem });
    """)
    codes = {name: (one["code"], one["status"], one["retryable"]) for name, one in told.items()}
    assert codes == {
        "earn": ("rule_already_completed", 409, False),
        "other": ("rule_already_completed", 409, False),
        "unknown": ("not_found", 404, False),
        "nowhere": ("not_found", 404, False),
        "absent": ("not_found", 404, False),
        "gone": ("not_found", 404, False),
        "join": ("policies_outdated", 409, False),
        "redeem": ("not_enrolled", 403, False),
    }
