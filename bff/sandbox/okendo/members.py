"""One shopper at Okendo: what may happen to a member in each state, and a count of everything that did.

Rules: docs.okendo.io/on-site/storefront-rest-api/endpoints/loyalty, "Recommended Usage" and "Program Enrolment".
"""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from bff.sandbox.json import Json, JsonObject
from bff.sandbox.okendo.program import SIGN_UP_POINTS, TIERS, EarningRule, Reward, tier_rank

STATES = ("pending", "enrolled", "blocked")
_NAMESPACE = uuid.UUID("7f4df7c0-3d0f-4a52-9a53-0d8c5be2b1a4")
_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class NotAllowed(Exception):
    """The program's rules forbid this; `code` is machine readable, the message is for people."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


@dataclass(frozen=True)
class Coupon:
    """A Shopify discount code minted for one member."""

    code: str
    description: str
    expires: datetime | None


@dataclass(frozen=True)
class Transaction:
    """Points that came or went; a redemption has a negative amount and its coupon or store credit."""

    id: str
    kind: str
    amount: int
    date: datetime
    text: str
    status: str = "complete"
    rule: str = ""
    coupon: Coupon | None = None
    store_credit: int | None = None


@dataclass
class Effects:
    """What really happened at the vendor since the last reset, counted where it happens."""

    redemptions: list[JsonObject] = field(default_factory=list)
    enrolments: list[JsonObject] = field(default_factory=list)
    referrals: list[JsonObject] = field(default_factory=list)
    awards: list[JsonObject] = field(default_factory=list)
    triggers: list[JsonObject] = field(default_factory=list)
    logins: int = 0


@dataclass(frozen=True)
class Referral:
    email: str
    status: str
    date: datetime


@dataclass
class Member:
    """A customer of the pretended shop; `number` is the Shopify customer number."""

    persona: str
    number: int
    first_name: str
    last_name: str
    state: str
    balance: int = 0
    pending: int = 0
    tier: str | None = None
    spend: Decimal = Decimal(0)
    enrolled_at: datetime | None = None
    tier_entered_at: datetime | None = None
    birthday: tuple[int, int] | None = None
    history: list[Transaction] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)
    completed: set[str] = field(default_factory=set)
    limits: dict[str, int] = field(default_factory=dict)
    # A blocked one is refused every call, or only told so in their state: the vendor's pages name both.
    is_refused: bool = True
    effects: Effects = field(default_factory=Effects)

    @property
    def email(self) -> str:
        return f"{self.persona}@example.com"

    @property
    def shopify_id(self) -> str:
        return f"gid://shopify/Customer/{self.number}"

    def uuid(self, kind: str) -> str:
        """The member's id of one kind (loyalty, customer, referral), the same in every world."""
        return str(uuid.uuid5(_NAMESPACE, f"{kind}/{self.persona}"))

    @property
    def referral_sender_id(self) -> str:
        return self.uuid("referral")

    def enrol(self, version: Json, channel: str, now: datetime) -> None:
        """Join: sign-up points and the first tier, once; joining again changes nothing."""
        if self.state == "enrolled":
            return
        self.state, self.tier, self.enrolled_at = "enrolled", TIERS[0].name, now
        self.effects.enrolments.append({"version": version, "channel": channel})
        self._earn(SIGN_UP_POINTS, "Welcome to the program", now)

    def set_state(self, state: str, now: datetime) -> None:
        """What the merchant can do by hand. Only those who have joined are in a tier; whoever is blocked keeps it."""
        self.state = state
        if state == "pending":
            self.tier = self.enrolled_at = self.tier_entered_at = None
        if state == "enrolled":
            self.tier, self.enrolled_at = self.tier or TIERS[0].name, self.enrolled_at or now

    def reach(self, tier: str, now: datetime) -> None:
        """Another tier than before, as by what they have spent or by the merchant's hand."""
        self.tier, self.tier_entered_at = tier, now

    def redeem(self, reward: Reward, now: datetime) -> Transaction:
        """Take the points at once and mint a fresh coupon, or store credit, which has no code."""
        self._must_be_enrolled()
        if tier_rank(self.tier) < tier_rank(reward.minimum_tier):
            raise NotAllowed("ineligible_vip_tier", f"This reward is for {reward.minimum_tier} members.")
        if self.remaining(reward) == 0:
            raise NotAllowed("redemption_limit_reached", "This reward was redeemed as often as it may be.")
        if self.balance < reward.points:
            raise NotAllowed("insufficient_points", f"{reward.points} points are needed, {self.balance} are there.")
        coupon = None if reward.award == "store-credit" else new_coupon(reward.title, reward.expires_after_days, now)
        self.effects.redemptions.append(
            {"rule": reward.id, "points": reward.points, "code": coupon.code if coupon else None}
        )
        self.balance -= reward.points
        return self._record(
            Transaction(
                str(uuid.uuid4()), "redemption", -reward.points, now, f"Redeemed: {reward.title}", rule=reward.id,
                coupon=coupon, store_credit=None if coupon else reward.value,
            )
        )  # fmt: skip

    def remaining(self, reward: Reward) -> int | None:
        """How often this member may still redeem it; None without a limit."""
        if reward.id not in self.limits:
            return None
        return max(0, self.limits[reward.id] - sum(one["rule"] == reward.id for one in self.effects.redemptions))

    def trigger(self, rule: EarningRule, now: datetime) -> Transaction:
        """Earn for a social follow, once; it may pay points, a coupon or store credit."""
        self._must_be_enrolled()
        if rule.id in self.completed:
            raise NotAllowed("already_completed", "This earning rule was already completed.")
        self.completed.add(rule.id)
        self.effects.triggers.append({"rule": rule.id})
        if rule.pays == "points":
            return self._earn(int(rule.amount), rule.title, now, rule.id)
        coupon = new_coupon(f"${rule.amount} off, thank you", 30, now) if rule.pays == "coupon" else None
        credit = None if coupon else int(rule.amount)
        return self._record(
            Transaction(str(uuid.uuid4()), "earning", 0, now, rule.title, "complete", rule.id, coupon, credit)
        )

    def award(self, rule: EarningRule, value: Decimal | int | None, now: datetime) -> Transaction:
        """Earn by a custom rule (support.okendo.io 9690320): fixed points, or points per value, rounded down.

        Customers who have not joined earn too; only blocked ones do not.
        """
        if self.state == "blocked":
            raise NotAllowed("customer_blocked", "The customer is blocked.")
        per_value = rule.calculation == "points-per"
        points = int((rule.amount * Decimal(value or 0)).to_integral_value(ROUND_FLOOR)) if per_value else rule.amount
        self.effects.awards.append({"rule": rule.id, "value": value, "points": int(points)})
        return self._earn(int(points), rule.title, now, rule.id)

    def invite(self, email: str, now: datetime) -> None:
        """Send a referral request; a friend is asked once."""
        if email.lower() == self.email:
            raise NotAllowed("referral_rejected", "Members cannot refer themselves.")
        if any(referral.email.lower() == email.lower() for referral in self.referrals):
            raise NotAllowed("referral_rejected", "This friend was already referred.")
        self.effects.referrals.append({"email": email})
        self.referrals.append(Referral(email, "pending", now))

    def remember(self, lines: int, date: datetime) -> None:
        """So many lines of history that change no balance, in their place by date."""
        texts = (f"Visited the shop ({number})" for number in range(1, lines + 1))
        self.history += [Transaction(str(uuid.uuid4()), "earning", 0, date, text) for text in texts]
        self.history.sort(key=lambda entry: entry.date)

    def remember_invitations(self, count: int, date: datetime) -> None:
        """So many friends who were invited before the others."""
        friends = (f"friend-{uuid.uuid4()}@example.com" for _ in range(count))
        self.referrals[:0] = [Referral(friend, "pending", date) for friend in friends]

    def _must_be_enrolled(self) -> None:
        if self.state != "enrolled":
            raise NotAllowed("not_enrolled", "The customer is not enrolled in the loyalty program.")

    def _earn(self, points: int, text: str, now: datetime, rule: str = "") -> Transaction:
        self.balance += points
        return self._record(Transaction(str(uuid.uuid4()), "earning", points, now, text, rule=rule))

    def _record(self, transaction: Transaction) -> Transaction:
        self.history.append(transaction)
        return transaction


def new_coupon(description: str, expires_after_days: int | None, now: datetime) -> Coupon:
    """A coupon whose code was never seen before."""
    code = "OKE-" + "".join(secrets.choice(_CODE_LETTERS) for _ in range(10))
    return Coupon(code, description, now + timedelta(days=expires_after_days) if expires_after_days else None)
