"""The six shoppers everyone can sign in as, with a history that adds up to their balance."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from bff.sandbox.okendo.members import Coupon, Member, Referral, Transaction
from bff.sandbox.okendo.program import FIVE_OFF, INSTAGRAM, REWARDS, SIGN_UP_POINTS

_NAMESPACE = uuid.UUID("c2a3b1b8-6f0d-4b0a-8d5e-9b7b7c1f2e60")


def personas(now: datetime) -> dict[str, Member]:
    """Ella, Penny, Blake, Zoe, Tara and Rami as they are after a reset at the time `now`."""
    year_ago = now - timedelta(days=365)
    members = (
        Member(
            "ella", 7000000000001, "Ella", "Martin", "enrolled", 1240, 45, "Bronze", Decimal("185.40"), year_ago,
            completed={INSTAGRAM},
        ),
        Member("penny", 7000000000002, "Penny", "Okafor", "pending", 60),
        Member("blake", 7000000000003, "Blake", "Turner", "blocked", 300),
        Member("zoe", 7000000000004, "Zoë", "Lindqvist", "enrolled", 0, 0, "Bronze", enrolled_at=now),
        Member("tara", 7000000000005, "Tara", "Nakamura", "enrolled", 3450, 0, "Gold", Decimal("1580"), year_ago),
        Member("rami", 7000000000006, "رامي", "الخطيب", "enrolled", 320, 0, "Silver", Decimal("420.75"), year_ago),
    )  # fmt: skip
    by_name = {member.persona: member for member in members}
    _give_past(by_name["ella"], orders=24, now=now)
    _give_past(by_name["tara"], orders=58, now=now)
    for member in members:
        _add_opening_balance(member, now)
    by_name["ella"].referrals += [
        Referral("friend.one@example.net", "completed", now - timedelta(days=80)),
        Referral("friend.two@example.net", "pending", now - timedelta(days=12)),
    ]
    by_name["tara"].birthday = (29, 2)
    return by_name


def _give_past(member: Member, orders: int, now: datetime) -> None:
    """A sign-up, many orders, one redemption and, where points are pending, the order they came from."""
    add = partial(_add_transaction, member, now=now)
    add("earning", SIGN_UP_POINTS, "Welcome to the program", days_ago=360)
    for order in range(orders):
        add("earning", 20 + order % 7 * 5, f"Order #{1001 + order}", days_ago=350 - order * 5)
    add("redemption", -500, f"Redeemed: {REWARDS[FIVE_OFF].title}", days_ago=20)
    if member.pending:
        add("earning", member.pending, "Order #1999, pending for 14 days", days_ago=2)


def _add_opening_balance(member: Member, now: datetime) -> None:
    """One opening adjustment makes the completed transactions add up to the balance."""
    completed = sum(entry.amount for entry in member.history if entry.status == "complete")
    if difference := member.balance - completed:
        _add_transaction(member, "adjustment", difference, "Points from our previous program", days_ago=364, now=now)
    member.history.sort(key=lambda entry: entry.date)


def _add_transaction(member: Member, kind: str, amount: int, text: str, *, days_ago: int, now: datetime) -> None:
    """One of days gone by, with the same id after every reset."""
    date = now - timedelta(days=days_ago)
    redeemed = kind == "redemption"
    member.history.append(
        Transaction(
            str(uuid.uuid5(_NAMESPACE, f"{member.persona}/{days_ago}/{text}")),
            kind,
            amount,
            date,
            text,
            status="pending" if "pending" in text else "complete",
            rule=FIVE_OFF if redeemed else "",
            coupon=_welcome_back_coupon(date) if redeemed else None,
        )
    )


def _welcome_back_coupon(date: datetime) -> Coupon:
    return Coupon("OKE-WELCOMEBACK", REWARDS[FIVE_OFF].title, date + timedelta(days=90))
