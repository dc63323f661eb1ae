"""Two members who are signed in and call whatever the OpenAPI document lets them, at the same time and with ids of each
other: no answer of one holds anything of the other, and most are of use."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from support.breadth import FUZZED_PAIRS
from support.carts import cart_of
from support.concurrency import at_once
from support.empty_stores import forget_limits
from support.sandbox_catalogue import FIVE_OFF, PRICES, new_key, redeem
from support.services import ROOT, Service, Vendors
from support.shopper import Shopper

# The session is the browser's: a made-up handle and bearer token beside it would be a server's call, which is refused.
CONFIG = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
DOCUMENT = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json", config=CONFIG)
# After it a member would only be refused.
END = "DELETE /api/v1/me/sessions"
OPERATIONS = {
    found.ok().label: found.ok()
    for found in DOCUMENT.get_all_operations()
    if isinstance(found, Ok) and found.ok().path.startswith("/api/v1/me") and found.ok().label != END
}
ACTIONS = ("0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a04", "0b6d1b0e-5a53-4f0e-8a54-6c2d3f1e0a05")
REFERENCE = re.compile(r"R-[A-Z0-9]{8}")
bounded = settings(
    max_examples=FUZZED_PAIRS, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
# What nobody gets without a partner's page in between.
SELDOM = {"POST /api/v1/me/retailers", "DELETE /api/v1/me/retailers/{id}"}


@dataclass
class Member:
    """A browser of somebody's, their cart, the key and code of their redemption, and all they were answered."""

    persona: str
    shopper: Shopper
    policies: Mapping[str, Any]
    cart_id: str
    key: str = field(default_factory=new_key)
    answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        redeemed = redeem(self.shopper, FIVE_OFF, self.key)
        assert redeemed.status_code == 201
        self.code = str(redeemed.json()["coupon"]["code"])
        self.name = self.shopper.api("GET", "/me").json()["name"]

    def send(self, case: "Case[Any]") -> tuple[str, int]:
        """As a script of the storefront; the operation and the status of its answer."""
        headers = {"Origin": self.shopper.base, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
        if case.method != "GET":
            headers["X-Loyalty-Csrf"] = "1"
        reply = case.call(self.shopper.base, headers=headers, cookies=dict(self.shopper.cookies))
        assert reply.status_code < 500, (case.operation.label, reply.text)
        self.answers.append(f"{reply.headers} {reply.text}")
        return case.operation.label, reply.status_code

    def secrets(self, vendors: Vendors) -> set[str]:
        """What is theirs alone, and could be in an answer."""
        known = vendors.member(self.persona)
        names = ("email", "customerId", "referralSenderId", "loyaltyCustomerId", "storefrontToken")
        found = {self.name, self.key, known["referralSenderId"].partition("-")[0], *(known[name] for name in names)}
        found |= {redemption["code"] for redemption in known["redemptions"] if redemption["code"]}
        found |= {referral["email"] for referral in known["referrals"]} | set(self.shopper.cookies.values())
        return found | {reference for answer in self.answers for reference in REFERENCE.findall(answer)}


def known_values(member: Member, whose: Member) -> Mapping[str, Mapping[str, Any]]:
    """What makes a call one that can be carried out: ids that are offered, an address to invite, words in force, and
    what `whose` redemption has brought."""
    agreed = {"policiesVersion": member.policies["version"], "policiesDigest": member.policies["digest"]}
    friends = st.integers(0, 10**9).map(lambda number: {"email": f"friend-of-{member.persona}-{number}@example.com"})
    return {
        "GET /api/v1/me/redemptions/{key}": {"path_parameters": {"key": whose.key}},
        "POST /api/v1/me/coupons/{code}/cart": {
            "path_parameters": {"code": whose.code},
            "body": {"cartId": member.cart_id},
        },
        "POST /api/v1/me/redemptions": {"body": st.sampled_from(list(PRICES)).map(lambda id_: {"rewardId": id_})},
        "POST /api/v1/me/earning-rules/{id}/completions": {
            "path_parameters": st.sampled_from(ACTIONS).map(lambda id_: {"id": id_})
        },
        "POST /api/v1/me/referrals": {"body": friends},
        "POST /api/v1/me/enrolment": {"body": agreed},
    }


def drawn(data: st.DataObject, label: str, member: Member, other: Member) -> "Case[Any]":
    """A call of this operation, in every second case with values of which something comes: one's own or the other's."""
    whose = data.draw(st.sampled_from([member, member, other]))
    known = known_values(member, whose).get(label, {}) if data.draw(st.booleans()) else {}
    values = {
        name: data.draw(value) if isinstance(value, st.SearchStrategy) else value for name, value in known.items()
    }
    case: Case[Any] = data.draw(OPERATIONS[label].as_strategy(**values))
    return case


@pytest.fixture
def valkey(stores: Mapping[str, str]) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(stores["VALKEY_URL"]) as client:
        yield client


@pytest.fixture
def members(service: Service, vendors: Vendors) -> tuple[Member, Member]:
    policies = service.shopper().api("GET", "/legal-policies").json()
    for persona in ("ella", "tara"):
        vendors.control("member", persona=persona, balance=90_000_000)
    ella, tara = (
        Member(persona, service.signed_in(persona), policies, cart_of(vendors, subtotal=20, persona=persona))
        for persona in ("ella", "tara")
    )
    return ella, tara


@pytest.mark.broad
def test_H8_J1_L2_two_members_at_once_get_nothing_of_each_other(
    members: tuple[Member, Member], vendors: Vendors, valkey: "redis.Redis"
) -> None:
    ella, tara = members
    statuses: Counter[tuple[str, int]] = Counter()
    labels = st.sampled_from(list(OPERATIONS))

    def call_at_once(label: str, data: st.DataObject) -> None:
        forget_limits(valkey)
        cases = drawn(data, label, ella, tara), drawn(data, data.draw(labels), tara, ella)
        statuses.update(at_once([lambda: ella.send(cases[0]), lambda: tara.send(cases[1])]))

    for label in OPERATIONS:
        bounded(given(st.just(label), st.data())(call_at_once))()
    nobody_got_anything(ella, tara, vendors)
    most_was_of_use(statuses)


def nobody_got_anything(ella: Member, tara: Member, vendors: Vendors) -> None:
    assert len(ella.secrets(vendors)) > 8
    for member, other in ((ella, tara), (tara, ella)):
        mine, theirs = member.secrets(vendors), other.secrets(vendors)
        assert any(secret in answer for secret in mine for answer in member.answers), "the net catches nothing"
        for answer in member.answers:
            assert [secret for secret in theirs - mine if secret in answer] == [], answer


def most_was_of_use(statuses: "Counter[tuple[str, int]]") -> None:
    """Half of all calls are carried out, none is refused for who asks or how often, and every operation succeeds."""
    succeeded = {label for label, status in statuses if status < 300}
    assert succeeded | SELDOM == set(OPERATIONS), statuses
    assert sum(many for (_, status), many in statuses.items() if status < 300) > statuses.total() / 2, statuses
    assert {status for _, status in statuses} & {401, 403, 429} == set(), statuses
