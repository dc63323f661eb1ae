"""Earning points on purpose: which ways there are for this member, completing one, and telling a birthday."""

import asyncio
import calendar
from collections.abc import Mapping
from typing import Literal

import structlog

from bff.errors import Problem, UpstreamFailed
from bff.members.member import Members
from bff.schemas.activity import Coupon
from bff.schemas.base import store_credit, whole
from bff.schemas.member import Member
from bff.schemas.program import EarningRule
from bff.schemas.redemption import Completion, Result
from bff.sessions.exchange import LEASE_WAIT_SECONDS, Exchange
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.tasks import DetachedTasks
from bff.vendors.okendo.member_operations import BIRTHDAY, CUSTOMER_EARNING_RULES, TRIGGER
from bff.vendors.okendo.refusals import problem_of
from bff.vendors.okendo.replies import Earned
from bff.vendors.okendo.replies import EarningRule as Rule

# What a rule of this type pays, where the answer itself did not come or does not tell.
PAYS: Mapping[str, Literal["coupon", "store_credit"]] = {"coupon": "coupon", "store-credit": "store_credit"}
log = structlog.get_logger("earning")


class Earning:
    """Besides what each method says, all raise UpstreamFailed when Okendo fails, and Problem `session_expired`."""

    def __init__(
        self, *, members: Members, exchange: Exchange, leases: Leases, apply_url: str, tasks: DetachedTasks
    ) -> None:
        self._members = members
        self._exchange = exchange
        self._leases = leases
        self._apply_url = apply_url
        self._tasks = tasks

    async def rules(self, session: Session) -> list[EarningRule]:
        """The ways to earn that are open to this member, with which they have done."""
        return [EarningRule.from_okendo(rule) for rule in await self._rules(session)]

    async def complete(self, session: Session, rule_id: str) -> Completion:
        """Complete one that was offered to this member, once (H8, L7); returns what it paid.

        Raises Problem `not_enrolled`, `not_found`, `rule_already_completed`, `feature_unavailable` for one that is
        not completed by a click, and `request_in_progress` while another one of theirs is.
        """
        return await self._tasks.run(self._complete(session, rule_id))

    async def _complete(self, session: Session, rule_id: str) -> Completion:
        async with self._leases.lease(f"earn:{session.data.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            customer, rules = await asyncio.gather(self._members.customer(session), self._rules(session))
            if customer.state != "enrolled":
                raise Problem("not_enrolled", "Join the program to earn points.")
            rule = next((rule for rule in rules if rule.id == rule_id), None)
            if rule is None:
                raise problem_of("trigger", 404)
            if rule.is_completed:
                raise problem_of("trigger", 400)
            return Completion(result=await self._paid(session, rule), member=await self._members.member(session))

    async def tell_birthday(self, session: Session, day: int, month: int) -> Member:
        """Tell Okendo the day and month, and return the member; raises Problem `invalid_birthday`, `not_enrolled`."""
        if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(2024, month)[1]:
            raise problem_of("birthday", 400)
        await self._tasks.run(self._exchange.as_member(session, BIRTHDAY, day=day, month=month))
        return await self._members.member(session)

    async def _paid(self, session: Session, rule: Rule) -> Result:
        try:
            earned = await self._exchange.as_member(session, TRIGGER, rule=rule.id)
        except UpstreamFailed as failure:
            # A lost reply is not sent again: whether it was done shows in the rules.
            if not failure.sent or not await self._was_completed(session, rule.id):
                raise
            log.info("completion_found_out")
            earned = Earned(points=rule.points)
        return self._result(earned, rule)

    async def _was_completed(self, session: Session, rule_id: str) -> bool:
        return any(rule.id == rule_id and rule.is_completed for rule in await self._rules(session))

    def _result(self, earned: Earned, rule: Rule) -> Result:
        if earned.code is not None:
            return Result(kind="coupon", coupon=Coupon.from_okendo(earned, self._apply_url))
        if earned.store_credit is not None:
            return Result(kind="store_credit", store_credit=store_credit(earned.store_credit, earned.currency))
        if (kind := PAYS.get(rule.calculation or "")) is not None:
            return Result(kind=kind)
        return Result(kind="points", points=whole(earned.points if earned.points is not None else rule.points))

    async def _rules(self, session: Session) -> list[Rule]:
        return await self._exchange.as_member(session, CUSTOMER_EARNING_RULES)
