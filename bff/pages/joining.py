"""What joining brings, for whoever has not joined: reckoned from what the program tells, or left unsaid."""

from collections.abc import Sequence
from typing import NamedTuple

from bff.schemas.member import Member
from bff.schemas.shown import ShownReward, ShownRule


class Sum(NamedTuple):
    """Points that wait for a member, those for joining, and the reward that they lead to first."""

    waiting: int
    gain: int
    price: int
    reward: ShownReward

    @property
    def total(self) -> int:
        return self.waiting + self.gain


class Steps(NamedTuple):
    """How it works: join, earn, redeem. Each is None where the program has none of it."""

    joining: ShownRule | None
    earning: ShownRule | None
    reward: ShownReward | None


def sum_of(
    member: Member | None, rules: Sequence[ShownRule] | None, rewards: Sequence[ShownReward] | None
) -> Sum | None:
    """None for whoever has joined, and where one of the numbers is not known."""
    reward = cheapest(rewards or ())
    gain = _joining(rules or ())
    if member is None or member.state != "pending" or reward is None or gain is None:
        return None
    if reward.points is None or gain.points is None:
        return None
    return Sum(member.points.balance, gain.points, reward.points, reward)


def steps_of(rules: Sequence[ShownRule] | None, rewards: Sequence[ShownReward] | None) -> Steps | None:
    """None where there is no more than one."""
    others = [rule for rule in rules or () if rule.kind != "join"]
    ordering = next((rule for rule in others if rule.kind == "order"), None)
    steps = Steps(_joining(rules or ()), ordering or next(iter(others), None), cheapest(rewards or ()))
    return steps if sum(step is not None for step in steps) > 1 else None


def cheapest(rewards: Sequence[ShownReward]) -> ShownReward | None:
    """Of those that every member can get; None unless the price of each is known."""
    open_to_all = [reward for reward in rewards if not reward.required_tier]
    if not all(reward.points for reward in open_to_all):
        return None
    return min(open_to_all, key=lambda reward: reward.points or 0, default=None)


def _joining(rules: Sequence[ShownRule]) -> ShownRule | None:
    return next((rule for rule in rules if rule.kind == "join"), None)
