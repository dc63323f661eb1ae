"""Whatever shoppers, merchants, vendors and stores do in whatever order, the service does what a small model says.

tests/support/breadth.py says how many stories are told.
"""

import asyncio
import base64
import contextlib
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import httpx2
import psycopg
import pytest
import redis
from hypothesis import HealthCheck, seed
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as tell_stories
from support.breadth import MACHINE_STORIES
from support.concurrency import at_once, same_browser, state_of, until
from support.empty_stores import emptied
from support.enrolment_clients import Rows, sentence_on, words_of
from support.reference_model import TROUBLES, Line, Member, Shown, Visit, Words, beginning
from support.sandbox_catalogue import FIVE_OFF, PRICES, code_of, redeem
from support.services import Log, Service, Vendors, in_thread
from support.shopper import Page, Shopper
from support.store_outages import agreement, is_ready, says_come_again, stopped

from bff.cli import migrate_database
from bff.devstack.servers import Server, postgres, valkey
from bff.sandbox.okendo.program import RETAIL_PURCHASE, Policies
from bff.sandbox.okendo.public_api import VERSION
from bff.services import build
from bff.settings.read import read_settings
from bff.vendors.upstream import BUSY_SECONDS
from bff.worker import RetryIn, jobs_of

# In one test; the next one's are drawn from another seed.
STORIES = min(4, MACHINE_STORIES)
STEPS = 25
BROWSERS = st.sampled_from(("left", "right"))
PERSONAS = st.sampled_from(("ella", "penny", "tara"))
REWARDS = st.sampled_from((*PRICES, FIVE_OFF, FIVE_OFF))
LOSSES = st.sampled_from(tuple(trouble for trouble in TROUBLES if trouble != "status:429"))
# One of however many there are at that moment.
WHICH = st.integers(0, 99)
VERSIONS = st.sampled_from(("2025-03-01", "2025-09-01", "7", 7))
SENTENCES = st.sampled_from((Policies().html, "You agree to <em>all</em> of this.", "You agree to all of this, twice."))
WITHOUT_A_JOB = """
    SELECT key FROM redemptions WHERE state = 'unknown' AND (check_until IS NULL OR NOT EXISTS (
        SELECT FROM procrastinate_jobs
        WHERE task_name = 'check_redemption' AND status = 'todo' AND (args ->> 'row')::bigint = redemptions.id))
"""


@dataclass
class Place:
    """Where the stories happen."""

    settings: Mapping[str, str]
    vendors: Vendors
    store: Server
    database: Server
    rows: Rows

    def clear(self) -> None:
        """As if nothing had ever happened."""
        self.vendors.reset()
        emptied(self.rows)
        with redis.Redis.from_url(self.store.url) as client:
            client.flushall()

    def reconnect(self) -> None:
        self.rows.close()
        self.rows = psycopg.connect(self.database.url, autocommit=True)


class Machine(RuleBasedStateMachine):
    """Two browsers, three shoppers, and everything that may happen to them."""

    place: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.place.clear()
        self.members = beginning()
        self.words = Words(Policies().version, Policies().html)  # type: ignore[arg-type]
        self.visits = {"left": Visit(), "right": Visit()}
        self.shown: dict[str, Shown] = {}
        self.keys: dict[str, str] = {}
        self.counted = Counter[str]()
        self.stack = ExitStack()
        self.service: Service
        self.shoppers: dict[str, Shopper] = {}
        self.deploy([self.new_key()])

    def teardown(self) -> None:
        self.stack.close()

    # What the rules are made of

    @property
    def vendors(self) -> Vendors:
        return self.place.vendors

    @property
    def settings(self) -> dict[str, str]:
        return {**self.place.settings, "SECRET_KEYS": ",".join(f"{name}:{key}" for name, key in self.keys.items())}

    @property
    def newest_key(self) -> str:
        return next(iter(self.keys))

    def new_key(self) -> tuple[str, str]:
        return f"k{self.count('keys')}", base64.b64encode(secrets.token_bytes(32)).decode()

    def count(self, what: str) -> int:
        self.counted[what] += 1
        return self.counted[what]

    def deploy(self, keys: Iterable[tuple[str, str]]) -> None:
        """Start the service anew with these keys, newest first; browsers keep their cookies."""
        self.stack.close()
        self.keys = dict(keys)
        self.service = self.stack.enter_context(in_thread(self.settings))
        cookies = {name: shopper.cookies for name, shopper in self.shoppers.items()}
        self.shoppers = {name: self.service.shopper() for name in self.visits}
        for name, held in cookies.items():
            self.shoppers[name].cookies = held

    def of(self, browser: str) -> tuple[Shopper, Visit, Member | None]:
        """The browser, and the member who is signed in there."""
        visit = self.visits[browser]
        return self.shoppers[browser], visit, self.members[visit.persona] if visit.persona else None

    def somebody(self, browser: str, persona: str) -> tuple[Visit, Member]:
        """Whoever is signed in there; this persona signs in when nobody is."""
        if self.visits[browser].persona is None:
            self.sign_in(browser, persona)
        _, visit, member = self.of(browser)
        assert member is not None
        return visit, member

    def fresh(self, reward: str, visit: Visit) -> Line:
        return Line(self.intent(), reward, None, "", self.newest_key, visit.sign_in)

    def intent(self) -> str:
        return f"intent-number-{self.count('intents'):04}"

    def code_of(self, persona: str | None, line: Line) -> str | None:
        """The coupon's code, from the vendor itself."""
        made = self.vendors.member(str(persona))["redemptions"]
        return None if line.effect is None else made[line.effect]["code"]

    # Signing in and out

    @initialize(left=PERSONAS, right=PERSONAS)
    def both_sign_in(self, left: str, right: str) -> None:
        self.sign_in("left", left)
        self.sign_in("right", right)

    @rule(browser=BROWSERS, persona=PERSONAS)
    def sign_in(self, browser: str, persona: str) -> None:
        shopper, _, _ = self.of(browser)
        ghost = same_browser(self.service, shopper)
        assert shopper.sign_in(persona).status == 200
        self.visits[browser] = Visit(persona, self.count("sign-ins"))
        assert state_of(ghost) == "anonymous", "the cookie from before is still good"

    @rule(browser=BROWSERS, by_page=st.booleans())
    def sign_out(self, browser: str, by_page: bool) -> None:
        shopper, _, member = self.of(browser)
        ghost = same_browser(self.service, shopper)
        if by_page and member is not None:
            assert shopper.submit(shopper.get("/"), "/logout").path == "/signed-out"
        else:
            assert shopper.api("DELETE", "/session").status_code == 200
        self.visits[browser] = Visit()
        assert state_of(ghost) == "anonymous", "the cookie from before is still good"

    # Joining

    @rule(version=VERSIONS, html=SENTENCES)
    def the_policies_change(self, version: str | int, html: str) -> None:
        self.vendors.control("policies", version=version, html=html)
        self.words = Words(version, html)

    @precondition(lambda self: self.members["penny"].state == "pending")
    @rule(browser=BROWSERS)
    def open_the_join_page(self, browser: str) -> None:
        shopper, visit, member = self.of(browser)
        page, version = self.join_page(shopper)
        assert page.status == 200
        if member is None or member.state == "enrolled":
            assert "consent" not in [name for form in page.read.forms for name, value in form.fields.items() if value]
        else:
            self.shown[browser] = Shown(page, self.read_from(page, version), visit.sign_in, self.newest_key)

    @precondition(lambda self: self.shown)
    @rule(browser=BROWSERS)
    def click_on_the_page_that_lies_open(self, browser: str) -> None:
        if browser in self.shown:
            self.click(browser)

    @precondition(lambda self: self.members["penny"].state == "pending")
    @rule(browser=BROWSERS)
    def join_by_page(self, browser: str) -> None:
        self.somebody(browser, "penny")
        self.open_the_join_page(browser)
        self.click_on_the_page_that_lies_open(browser)

    @precondition(lambda self: self.members["penny"].state == "pending")
    @rule(browser=BROWSERS, version=VERSIONS, html=SENTENCES, clicks=st.integers(1, 2))
    def join_while_the_policies_change(self, browser: str, version: str | int, html: str, clicks: int) -> None:
        if self.visits[browser].persona != "penny":
            self.sign_in(browser, "penny")
        self.open_the_join_page(browser)
        self.the_policies_change(version, html)
        for _ in range(clicks):
            self.click_on_the_page_that_lies_open(browser)

    def join_page(self, shopper: Shopper) -> tuple[Page, str | int]:
        """The page and the version that it is made from, which is not written on it."""
        while True:
            before = shopper.api("GET", "/legal-policies").json()
            page = shopper.get("/join")
            if before == shopper.api("GET", "/legal-policies").json():
                return page, before["version"]

    def read_from(self, page: Page, version: str | int) -> Words:
        """What stands on a page, as the vendor worded it."""
        read = words_of(sentence_on(page))
        known = (Policies().html, "You agree to <em>all</em> of this.", "You agree to all of this, twice.")
        return Words(version, next(html for html in known if words_of(html) == read))

    def click(self, browser: str) -> None:
        shopper, visit, member = self.of(browser)
        shown = self.shown[browser]
        landed = shopper.submit(shown.page, "/join")
        if member is None:
            assert landed.path != "/welcome"
        elif shown.sign_in != visit.sign_in or shown.key not in self.keys:
            assert landed.status in {403, 409}, "a page of another sign-in was accepted"
        elif member.state == "enrolled":
            assert (landed.status, landed.path) == (200, "/welcome")
            del self.shown[browser]
        elif shown.words == self.words:
            assert (landed.status, landed.path) == (200, "/welcome")
            member.agree(shown.words)
        else:
            assert (landed.status, landed.path) == (409, "/join")
            assert self.read_from(landed, self.words.version) == self.words, "not the words of now"
            self.shown[browser] = Shown(landed, self.words, visit.sign_in, self.newest_key)

    def is_in_force(self, policies: Any) -> bool:
        """Whether these, as the service tells them, are those of now."""
        told = policies["version"], words_of(policies["sentenceHtml"])
        return told == (self.words.version, words_of(self.words.html))

    @rule(browser=BROWSERS, trouble=st.sampled_from(("", "", "cut_after", "cut_before")))
    def join_by_json(self, browser: str, trouble: str) -> None:
        self.somebody(browser, "penny")
        shopper, _, member = self.of(browser)
        shown = shopper.api("GET", "/legal-policies").json()
        in_force = self.is_in_force(shown)
        if trouble:
            self.vendors.fault("customer_activation", trouble)
        agreed = {"policiesVersion": shown["version"], "policiesDigest": shown["digest"]}
        reply = shopper.api("POST", "/me/enrolment", agreed)
        self.vendors.http.delete(f"{self.vendors.url}/_control/faults")
        if member is None:
            assert reply.status_code == 401
        elif member.state == "enrolled":
            assert (reply.status_code, reply.json()["state"]) == (200, "enrolled")
        elif in_force:
            member.agree(self.words, trouble)
            assert reply.status_code == (502 if trouble == "cut_before" else 201)
        else:
            assert (reply.status_code, code_of(reply)) == (409, "policies_outdated")
            assert reply.json()["legalPolicies"]["version"] == self.words.version

    # Redeeming

    @rule(
        browser=BROWSERS,
        persona=PERSONAS,
        trouble=st.sampled_from(tuple(TROUBLES)),
        which=WHICH,
        then=st.lists(st.sampled_from((None, *PRICES)), max_size=2),
    )
    def redeem_what_can_be_redeemed(
        self, browser: str, persona: str, trouble: str, which: int, then: list[str | None]
    ) -> None:
        """And again under the same key, for the same reward (None) and for another."""
        visit, member = self.somebody(browser, persona)
        ready = [reward for reward in PRICES if not member.refusal(reward)]
        if not ready:
            return
        line = self.fresh(ready[which % len(ready)], visit)
        self.redeem(browser, line, trouble)
        for reward in then:
            self.redeem(browser, Line(line.key, reward or line.reward, None, "", self.newest_key, visit.sign_in), "")

    @rule(
        browser=BROWSERS,
        persona=PERSONAS,
        troubles=st.lists(LOSSES, min_size=2, max_size=3),
        reward=REWARDS,
        looked_for=st.booleans(),
    )
    def lose_several_answers(
        self, browser: str, persona: str, troubles: list[str], reward: str, looked_for: bool
    ) -> None:
        """Of one reward, one after the other, and the vendor's history tells them apart."""
        visit, member = self.somebody(browser, persona)
        while member.state == "enrolled" and member.balance < len(troubles) * PRICES[reward]:
            self.points_arrive(str(visit.persona))
        for trouble in troubles:
            self.redeem(browser, self.fresh(reward, visit), trouble)
        if looked_for:
            self.the_worker_looks(minute=True)

    @precondition(lambda self: self.counted["restarts"] < 3)
    @rule(browser=BROWSERS, trouble=LOSSES)
    def lose_an_answer_and_every_key_and_come_back(self, browser: str, trouble: str) -> None:
        """The worker cannot look any more until the member has signed in anew and looked at it."""
        self.sign_in(browser, "ella")
        self.points_arrive("ella")
        line = self.fresh(FIVE_OFF, self.visits[browser])
        self.redeem(browser, line, trouble)
        self.every_key_is_replaced()
        self.the_worker_looks(minute=True)
        self.sign_in(browser, "ella")
        self.look(browser, line.key)
        self.the_worker_looks(minute=False)

    @rule(browser=BROWSERS, reward=REWARDS, trouble=st.sampled_from(tuple(TROUBLES)))
    def redeem_anything(self, browser: str, reward: str, trouble: str) -> None:
        _, visit, _ = self.of(browser)
        self.redeem(browser, self.fresh(reward, visit), trouble)

    @precondition(lambda self: any(member.lines for member in self.members.values()))
    @rule(browser=BROWSERS, persona=PERSONAS, same=st.booleans(), reward=REWARDS, which=WHICH)
    def redeem_with_a_used_key(self, browser: str, persona: str, same: bool, reward: str, which: int) -> None:
        """A key is used by whoever used it; for the others it is fresh."""
        visit, _ = self.somebody(browser, persona)
        used = {line.key: line.reward for member in self.members.values() for line in member.lines.values()}
        key = sorted(used)[which % len(used)]
        wanted = Line(key, used[key] if same else reward, None, "", self.newest_key, visit.sign_in)
        self.redeem(browser, wanted, "")

    def redeem(self, browser: str, line: Line, trouble: str) -> None:
        shopper, visit, member = self.of(browser)
        if trouble:
            self.vendors.fault("redeem", trouble)
        reply = redeem(shopper, line.reward, line.key)
        self.vendors.http.delete(f"{self.vendors.url}/_control/faults")
        self.service.clock.advance(BUSY_SECONDS)
        if member is None:
            assert reply.status_code == 401
        elif line.key in member.lines:
            self.is_replayed(reply, visit, member.lines[line.key], line.reward)
        elif refusal := member.refusal(line.reward):
            assert (reply.status_code, code_of(reply)) == refusal
        else:
            member.redeem(line, trouble)
            assert "idempotency-replayed" not in reply.headers
            self.is_answer(reply, visit, line)

    def is_replayed(self, reply: httpx2.Response, visit: Visit, line: Line, reward: str) -> None:
        if reward != line.reward:
            assert (reply.status_code, code_of(reply)) == (422, "idempotency_key_reused")
            return
        assert reply.headers.get("idempotency-replayed") == "true"
        self.is_answer(reply, visit, line)

    def is_answer(self, reply: httpx2.Response, visit: Visit, line: Line) -> None:
        if line.state == "failed":
            assert (reply.status_code, code_of(reply)) == (503, "upstream_unavailable")
            assert reply.json()["retryable"] is False
            return
        assert reply.status_code == {"succeeded": 201, "unknown": 202}[line.state], reply.text
        self.is_redemption(reply.json(), visit, line)

    def is_redemption(self, told: Any, visit: Visit, line: Line) -> None:
        """What is told of a redemption is true, and never changes once it is settled."""
        assert (told["key"], told["state"], told["reward"]["id"]) == (line.key, line.state, line.reward)
        if line.state == "succeeded":
            assert told.get("coupon", {}).get("code") == self.code_of(visit.persona, line)
        line.said = line.said if line.state == "unknown" or line.said else told
        assert line.state == "unknown" or told == line.said

    @rule(browser=BROWSERS, reward=REWARDS, trouble=st.sampled_from(tuple(TROUBLES)))
    def redeem_by_page(self, browser: str, reward: str, trouble: str) -> None:
        shopper, visit, member = self.of(browser)
        path = f"/rewards/{reward}"
        page = shopper.get(f"{path}?again=1")
        keys = [form.fields["key"] for form in page.read.forms if "key" in form.fields]
        if member is None or member.refusal(reward):
            assert (page.status, keys) == (200, [])
            return
        member.redeem(Line(keys[0], reward, None, "", self.newest_key, visit.sign_in), trouble)
        if trouble:
            self.vendors.fault("redeem", trouble)
        assert [shopper.submit(page, path).path for _ in range(2)] == [f"/redemptions/{keys[0]}"] * 2
        self.service.clock.advance(BUSY_SECONDS)

    @rule(browser=BROWSERS, persona=PERSONAS, reward=REWARDS)
    def redeem_in_three_tabs_at_once(self, browser: str, persona: str, reward: str) -> None:
        visit, member = self.somebody(browser, persona)
        shopper, _, _ = self.of(browser)
        if member.refusal(reward):
            return
        line = self.fresh(reward, visit)
        member.redeem(line, "")
        tabs = [same_browser(self.service, shopper) for _ in range(3)]
        replies = at_once([partial(redeem, tab, reward, line.key) for tab in tabs])
        assert {reply.status_code for reply in replies} <= {201, 409}
        for reply in replies:
            if reply.status_code == 201:
                self.is_answer(reply, visit, line)

    @rule(persona=PERSONAS)
    def points_arrive(self, persona: str) -> None:
        """From a purchase somewhere else: 1,000 of them."""
        headers = {"okendo-api-version": VERSION}
        told = {"email": f"{persona}@example.com", "earningRuleId": RETAIL_PURCHASE, "value": 500}
        merchant = (self.settings["OKENDO_USER_ID"], self.settings["OKENDO_API_KEY"])
        url = f"{self.vendors.url}/enterprise/loyalty/earning_transactions"
        until(lambda: self.vendors.http.post(url, json=told, headers=headers, auth=merchant).status_code == 200)
        self.members[persona].balance += 1000

    # Finding out

    @precondition(lambda self: any(list(member.in_doubt()) for member in self.members.values()))
    @rule()
    def a_minute_passes_at_the_vendor(self) -> None:
        """From now on a lost redemption that cannot be found has not been carried out."""
        self.place.rows.execute("UPDATE redemptions SET sent_at = sent_at - interval '61 seconds'")
        for member in self.members.values():
            for line in member.in_doubt():
                line.old = True

    @precondition(lambda self: any(list(member.in_doubt()) for member in self.members.values()))
    @rule(minute=st.booleans())
    def the_worker_looks(self, minute: bool) -> None:
        """It takes up every lost redemption, in the worst order first; perhaps when a minute has passed."""
        if minute:
            self.a_minute_passes_at_the_vendor()
        found = self.place.rows.execute("SELECT id FROM redemptions WHERE state = 'unknown' ORDER BY id").fetchall()
        numbers = [int(str(row[0])) for row in found]
        asyncio.run(look_into(self.settings, [*numbers, *reversed(numbers)]))
        states = {(row[0], row[1]): str(row[2]) for row in self.ledger()}
        for persona, member in self.members.items():
            later_in_doubt = False
            for line in list(member.in_doubt()):
                state = states[persona, line.key]
                assert state in self.possible(line, later_in_doubt), (persona, line, state)
                line.state = state
                later_in_doubt = later_in_doubt or state == "unknown"

    def possible(self, line: Line, later_in_doubt: bool) -> set[str]:
        """What may be said of a lost redemption now, which is nothing but the truth, or that it is not known."""
        knowable = line.sealed_by in self.keys and (line.effect is not None or line.old)
        truth = "failed" if line.effect is None else "succeeded"
        return {"unknown"} if not knowable else {"unknown", truth} if later_in_doubt else {truth}

    @precondition(lambda self: any(member.lines for member in self.members.values()))
    @rule(browser=BROWSERS, anew=st.booleans(), which=WHICH)
    def look_at_a_redemption(self, browser: str, anew: bool, which: int) -> None:
        """Whoever looks at a lost one whose sign-in has ended helps to find out; nobody sees what is another's."""
        used = [(name, key) for name, each in self.members.items() for key in each.lines]
        persona, key = used[which % len(used)]
        if anew:
            self.sign_in(browser, persona)
        self.look(browser, key)

    def look(self, browser: str, key: str) -> None:
        shopper, visit, member = self.of(browser)
        reply = shopper.api("GET", f"/me/redemptions/{key}")
        if member is None or key not in member.lines:
            assert reply.status_code == (401 if member is None else 404)
            return
        line = member.lines[key]
        assert reply.status_code == 200
        self.is_redemption(reply.json(), visit, line)
        if line.state == "unknown" and not self.can_be_found_out(line):
            line.sign_in, line.sealed_by = visit.sign_in, self.newest_key

    def can_be_found_out(self, line: Line) -> bool:
        """Whether what is kept of the sign-in that it came from opens, and that sign-in goes on."""
        goes_on = line.sign_in in {visit.sign_in for visit in self.visits.values() if visit.persona}
        return goes_on and line.sealed_by in self.keys

    # Operating

    @precondition(lambda self: self.counted["restarts"] < 3)
    @rule(remove=st.booleans())
    def a_key_is_put_in_front(self, remove: bool) -> None:
        """And the old ones are removed, perhaps, when every browser has been here: nobody is signed out."""
        self.count("restarts")
        self.deploy([self.new_key(), *self.keys.items()])
        if remove:
            self.everybody_sees_who_they_are_and_what_they_have()
            self.deploy([(self.newest_key, self.keys[self.newest_key])])

    @precondition(lambda self: self.counted["restarts"] < 3)
    @rule()
    def every_key_is_replaced(self) -> None:
        self.count("restarts")
        self.deploy([self.new_key()])
        self.visits = {name: Visit() for name in self.visits}

    @precondition(lambda self: self.counted["losses of valkey"] == 0)
    @rule(reward=REWARDS)
    def valkey_goes_away_and_comes_back(self, reward: str) -> None:
        self.count("losses of valkey")
        agreed = agreement(self.shoppers["left"])
        with stopped(self.place.store):
            for browser in self.visits:
                shopper, _, member = self.of(browser)
                cookies = dict(shopper.cookies)
                replies = [
                    redeem(shopper, reward, self.intent()),
                    shopper.api("POST", "/me/enrolment", agreed),
                    shopper.api("GET", "/me"),
                ]
                assert [reply.status_code for reply in replies] == [401 if member is None else 503] * 3
                assert member is None or all(says_come_again(reply) for reply in replies)
                assert shopper.cookies == cookies
        until(lambda: is_ready(self.service))

    @precondition(lambda self: self.counted["losses of postgresql"] == 0)
    @rule(reward=REWARDS)
    def postgresql_goes_away_and_comes_back(self, reward: str) -> None:
        self.count("losses of postgresql")
        shown = {name: shopper.api("GET", "/legal-policies").json() for name, shopper in self.shoppers.items()}
        with stopped(self.place.database):
            asked = [partial(self.ask_without_postgresql, name, reward, shown[name]) for name in self.visits]
            at_once(asked)
        until(lambda: is_ready(self.service))
        self.place.reconnect()

    def ask_without_postgresql(self, browser: str, reward: str, policies: Any) -> None:
        shopper, _, member = self.of(browser)
        agreed = {"policiesVersion": policies["version"], "policiesDigest": policies["digest"]}
        tab = partial(same_browser, self.service, shopper)
        asked = [
            partial(redeem, tab(), reward, self.intent()),
            partial(tab().api, "POST", "/me/enrolment", agreed),
            partial(tab().request, "GET", "/"),
            partial(tab().api, "GET", "/me"),
        ]
        redeeming, joining, overview, me = at_once(asked)
        assert (overview.status_code, me.status_code) == (200, 401 if member is None else 200)
        if member is None:
            assert (redeeming.status_code, joining.status_code) == (401, 401)
            return
        assert (redeeming.status_code, code_of(redeeming)) == (503, "store_unavailable")
        in_force = self.is_in_force(policies)
        assert joining.status_code == (200 if member.state == "enrolled" else 503 if in_force else 409)

    # What must be so after every step

    def ledger(self) -> list[tuple[str, str, str]]:
        """Persona, key and state of every line."""
        customers = {member["customerId"]: persona for persona, member in self.vendors.state()["members"].items()}
        found = self.place.rows.execute("SELECT customer_id, key, state FROM redemptions ORDER BY id").fetchall()
        return [(customers[row[0]], str(row[1]), str(row[2])) for row in found]

    @invariant()
    def the_vendor_has_done_what_was_meant_and_nothing_else(self) -> None:
        state = self.vendors.state()
        for persona, member in self.members.items():
            there = state["members"][persona]
            assert [one["rule"] for one in there["redemptions"]] == member.effects, persona
            assert [one["version"] for one in there["enrolments"]] == member.enrolments, persona
            assert (there["state"], there["balance"]) == (member.state, member.balance), persona
        told = [call["operation"] for call in state["calls"]]
        assert told.count("redeem") == sum(member.redeem_calls for member in self.members.values())
        assert told.count("customer_activation") == sum(member.enrol_calls for member in self.members.values())
        assert (state["policies"]["version"], state["faults"]) == (self.words.version, [])

    @invariant()
    def everything_is_written_down(self) -> None:
        lines = {persona: dict[str, str]() for persona in self.members}
        for persona, key, state in self.ledger():
            lines[persona][key] = state
        meant = {
            persona: {key: line.state for key, line in member.lines.items()} for persona, member in self.members.items()
        }
        assert lines == meant
        evidence = self.place.rows.execute("SELECT version, outcome FROM consents ORDER BY id").fetchall()
        assert sorted(evidence, key=str) == sorted(self.members["penny"].consents, key=str)
        assert self.place.rows.execute(WITHOUT_A_JOB).fetchall() == [], "nobody looks for these"

    @invariant()
    def everybody_sees_who_they_are_and_what_they_have(self) -> None:
        for browser in self.visits:
            shopper, _, member = self.of(browser)
            me = shopper.api("GET", "/me")
            if member is None:
                assert (me.status_code, state_of(shopper)) == (401, "anonymous"), browser
                continue
            assert me.status_code == 200, (browser, me.text)
            seen = me.json()
            assert (seen["state"], seen["points"]["balance"]) == (member.state, member.balance), browser
            assert state_of(shopper) == member.state, browser
            page = shopper.get("/")
            assert ("Your balance" if member.state == "enrolled" else "Waiting for you") in page.text, browser
            figures = re.findall(r'<p class="figure[^>]*><strong>([^<]*)</strong>', page.reply.text)
            assert figures == [f"{member.balance:,}"], browser


async def look_into(settings: Mapping[str, str], numbers: list[int]) -> None:
    """What the worker does when it takes up the jobs of these lines, once each."""
    read = read_settings(settings)
    async with build(read) as state:
        jobs = jobs_of(state)
        for number in numbers:
            with contextlib.suppress(RetryIn):
                await jobs.check_redemption(number)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with postgres(tmp_path_factory.mktemp("own-postgres")) as server:
        migrate_database(server.url)
        yield server


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with valkey(tmp_path_factory.mktemp("own-valkey")) as server:
        yield server


@pytest.fixture
def place(settings: dict[str, str], vendors: Vendors, store: Server, database: Server, log: Log) -> Iterator[Place]:
    """`log` is asked for so that failures are not buried under what the service says."""
    found = Place(settings, vendors, store, database, psycopg.connect(database.url, autocommit=True))
    yield found
    found.rows.close()


@pytest.mark.broad
@pytest.mark.parametrize("number", range(MACHINE_STORIES // STORIES))
def test_B10_C4_K4_L1_L2_L3_L4_L5_L7_in_whatever_order_things_happen_the_promises_hold(
    place: Place, number: int
) -> None:
    class Here(Machine):
        pass

    Here.place = place
    few = effort(
        max_examples=STORIES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    tell_stories(seed(number)(Here), settings=few)


# One story in which everything happens, since the drawn ones leave something out now and then.
OF_ALL: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("both_sign_in", ("ella", "tara")),
    ("redeem_what_can_be_redeemed", ("left", "ella", "cut_after", 0, [None, FIVE_OFF])),
    ("look_at_a_redemption", ("right", False, 0)),
    ("look_at_a_redemption", ("right", True, 0)),
    ("sign_out", ("left", True)),
    ("look_at_a_redemption", ("right", True, 0)),
    ("a_minute_passes_at_the_vendor", ()),
    ("the_worker_looks", (False,)),
    ("redeem_with_a_used_key", ("right", "ella", True, FIVE_OFF, 0)),
    ("redeem_by_page", ("right", FIVE_OFF, "")),
    ("points_arrive", ("ella",)),
    ("redeem_in_three_tabs_at_once", ("right", "ella", FIVE_OFF)),
    ("lose_several_answers", ("right", "ella", ["cut_before", "cut_after"], FIVE_OFF, True)),
    ("redeem_anything", ("left", FIVE_OFF, "")),
    ("lose_an_answer_and_every_key_and_come_back", ("left", "cut_after")),
    ("a_key_is_put_in_front", (True,)),
    ("sign_in", ("left", "penny")),
    ("the_policies_change", ("7", "You agree to all of this, twice.")),
    ("open_the_join_page", ("left",)),
    ("join_while_the_policies_change", ("left", 7, "You agree to <em>all</em> of this.", 1)),
    ("join_by_json", ("left", "cut_before")),
    ("join_by_page", ("left",)),
    ("valkey_goes_away_and_comes_back", (FIVE_OFF,)),
    ("click_on_the_page_that_lies_open", ("left",)),
    ("join_by_json", ("left", "")),
    ("postgresql_goes_away_and_comes_back", (FIVE_OFF,)),
    ("every_key_is_replaced", ()),
)


def test_L3_L4_L5_whatever_can_happen_happens_at_least_once(place: Place) -> None:
    class Here(Machine):
        pass

    Here.place = place
    machine = Here()
    try:
        for what, given in OF_ALL:
            getattr(machine, what)(*given)
            for always in machine.setup_state().invariants:
                always.function(machine)
    finally:
        machine.teardown()
    rules = {rule.function.__name__ for rule in machine.setup_state().rules}
    assert rules - {what for what, _ in OF_ALL} == set()
