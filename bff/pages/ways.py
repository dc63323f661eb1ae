"""What a shopper can do about each way to earn: data, so that no kind is left without an action or a reason."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from bff.schemas.base import VisitorState
from bff.schemas.shown import ShownRule
from bff.settings.actions import Action as RetailAction
from bff.settings.actions import Event
from bff.vendors.okendo.ids import url_safe

Group = Literal["now", "shopping", "done"]
Action = Literal[
    "complete", "join", "birthday", "refer", "shop", "review", "retailers", "open", "sign_in", "wait", "nothing", "done"
]  # fmt: skip

# By the first word of its kind. Any other is left to what else is known of it.
DONE_BY: Mapping[str, tuple[Group, Action]] = {
    "social": ("now", "complete"),
    "join": ("now", "join"),
    "birthday": ("now", "birthday"),
    "referral": ("now", "refer"),
    "order": ("shopping", "shop"),
    "review": ("shopping", "review"),
}
AT_RETAILERS: Mapping[Event, tuple[Group, Action]] = {
    "account.linked": ("now", "retailers"),
    "purchase.created": ("shopping", "retailers"),
}
# What only members can do, and what others do about it first. None: whether they are one cannot be read.
FOR_MEMBERS: frozenset[Action] = frozenset({"complete", "birthday", "refer", "retailers"})
FIRST: Mapping[VisitorState | None, Action] = {"anonymous": "sign_in", "pending": "join", None: "wait"}


class Way(NamedTuple):
    """A way to earn, where it stands on the page, and what there is to do about it."""

    rule: ShownRule
    group: Group
    action: Action


def rules_at_retailers(actions: Sequence[RetailAction]) -> Mapping[str, Event]:
    """The ways to earn that the table of actions pays, by their id, each with what earns it."""
    return {url_safe(action.earning_rule_id) or "": action.event for action in actions}


def way_of(
    rule: ShownRule, state: VisitorState | None, at_retailers: Mapping[str, Event], *, is_sure: bool = True
) -> Way:
    """`state` is None where it cannot be read. Where it is not sure what a member has done, nothing is offered that
    could be done twice."""
    if rule.completed or (rule.kind == "join" and state == "enrolled"):
        return Way(rule, "done", "done")
    group, action = _usual(rule, at_retailers)
    if action in FOR_MEMBERS:
        action = FIRST.get(state, action if is_sure else "wait")
    if action == "join" and state is None:
        action = "wait"
    return Way(rule, group, action)


def _usual(rule: ShownRule, at_retailers: Mapping[str, Event]) -> tuple[Group, Action]:
    if rule.id in at_retailers:
        return AT_RETAILERS[at_retailers[rule.id]]
    unheard_of: tuple[Group, Action] = ("now", "open") if rule.url else ("shopping", "nothing")
    return DONE_BY.get(re.split("[_-]", rule.kind)[0], unheard_of)
