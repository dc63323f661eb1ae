"""What the service promises, in a few lines: who is signed in where, who is a member, and what every key led to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from support.sandbox_catalogue import GOLD_ONLY, PRICES

# What a trouble on the way to the vendor does to a redemption: whether it is carried out, and what is known of it.
TROUBLES = {
    "": (True, "succeeded"),
    "cut_after": (True, "unknown"),
    "garbage": (True, "unknown"),
    "cut_before": (False, "unknown"),
    "status:500": (False, "unknown"),
    "status:429": (False, "failed"),
}


@dataclass(frozen=True)
class Words:
    """What a member agrees to."""

    version: str | int
    html: str


@dataclass
class Line:
    """One intent under one key. `effect` is its place among what the vendor carried out, None when nothing was.

    `sealed_by` is the key that opens the credentials, `sign_in` the one they came from; `old` says that the vendor has
    had all the time it may take. `said` is the answer that must never change any more.
    """

    key: str
    reward: str
    effect: int | None
    state: str
    sealed_by: str
    sign_in: int
    old: bool = False
    said: Any = None


@dataclass
class Member:
    """A customer of the shop. `effects` are the rewards the vendor must have given, in this order."""

    state: str
    balance: int
    is_gold: bool = False
    lines: dict[str, Line] = field(default_factory=dict)
    effects: list[str] = field(default_factory=list)
    enrolments: list[str | int] = field(default_factory=list)
    consents: list[tuple[str, str]] = field(default_factory=list)
    redeem_calls: int = 0
    enrol_calls: int = 0

    def refusal(self, reward: str) -> tuple[int, str] | None:
        """Why this reward cannot be redeemed now; None when it can."""
        if self.state != "enrolled":
            return 403, "not_enrolled"
        if reward == GOLD_ONLY and not self.is_gold:
            return 422, "reward_ineligible"
        return (422, "insufficient_points") if self.balance < PRICES[reward] else None

    def redeem(self, line: Line, trouble: str) -> None:
        """The vendor is told, once."""
        carried_out, line.state = TROUBLES[trouble]
        self.redeem_calls += 1
        if carried_out:
            line.effect = len(self.effects)
            self.effects.append(line.reward)
            self.balance -= PRICES[line.reward]
        self.lines[line.key] = line

    def agree(self, words: Words, trouble: str = "") -> None:
        """The vendor is told of a consent, once; whether it has come to that is asked when the answer is lost."""
        self.enrol_calls += 1
        self.consents.append((str(words.version), "unknown" if trouble == "cut_before" else "accepted"))
        if trouble != "cut_before":
            self.state = "enrolled"
            self.balance += 200
            self.enrolments.append(words.version)

    def in_doubt(self) -> Iterator[Line]:
        """Newest first."""
        return (line for line in reversed(self.lines.values()) if line.state == "unknown")


def beginning() -> dict[str, Member]:
    """The personas as the sandbox has them after a reset."""
    return {
        "ella": Member("enrolled", 1240),
        "penny": Member("pending", 60),
        "tara": Member("enrolled", 3450, is_gold=True),
    }


@dataclass
class Visit:
    """One browser: who is signed in, and by which sign-in."""

    persona: str | None = None
    sign_in: int = 0


@dataclass
class Shown:
    """A join page that lies open in a browser: what is on it, for which sign-in, and by which key it was signed."""

    page: Any
    words: Words
    sign_in: int
    key: str
