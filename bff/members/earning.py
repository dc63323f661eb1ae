"""Earning points on purpose: which ways there are for this member, completing one, and telling a birthday."""

import asyncio
import calendar

import structlog

from bff.errors import Problem, UpstreamFailed
from bff.members.earned import EarnedResults
from bff.members.member import Members
from bff.schemas.activity import Coupon, apply_url_at
from bff.schemas.base import whole
from bff.schemas.member import Birthday, Member
from bff.schemas.money import Money
from bff.schemas.outbound import earned as was_earned
from bff.schemas.program import EarningRule
from bff.schemas.redemption import Completion, Result
from bff.schemas.worth import PAYS
from bff.sentences import N_
from bff.sessions.exchange import LEASE_WAIT_SECONDS, Exchange
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.stores.outbox import Outbox
from bff.tasks import DetachedTasks
from bff.vendors.okendo.languages import NO_LOCALE
from bff.vendors.okendo.member_operations import BIRTHDAY, CUSTOMER_EARNING_RULES, TRIGGER
from bff.vendors.okendo.refusals import problem_of
from bff.vendors.okendo.replies import Earned
from bff.vendors.okendo.replies import EarningRule as Rule
from bff.vendors.okendo.row import Locale

log = structlog.get_logger("earning")


class Earning:
    """Besides what each method says, all raise UpstreamFailed when Okendo fails, and Problem `session_expired`."""

    def __init__(
        self,
        *,
        members: Members,
        exchange: Exchange,
        leases: Leases,
        results: EarnedResults,
        apply_url: str,
        outbox: Outbox,
        tasks: DetachedTasks,
    ) -> None:
        self._members = members
        self._exchange = exchange
        self._leases = leases
        self._results = results
        self._apply_url = apply_url
        self._outbox = outbox
        self._tasks = tasks

    async def rules(self, session: Session, locale: Locale = NO_LOCALE) -> list[EarningRule]:
        """The ways to earn that are open to this member, with which they have done."""
        return [EarningRule.from_okendo(rule) for rule in await self._rules(session, locale)]

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
            result = await self._paid(session, rule)
            self._outbox.record(was_earned(session.data.customer_id, rule.id, result.kind, result.points))
            await self._results.keep(session, rule.id, result)
            return Completion(result=result, member=await self._members.member(session))

    async def earned(self, session: Session, rule_id: str) -> Result | None:
        """What this sign-in has earned by this rule within the hour; None where that is not known any more."""
        return await self._results.find(session, rule_id)

    async def tell_birthday(self, session: Session, day: int, month: int) -> Member:
        """Tell Okendo the day and month, once, and return the member; the day that is known already changes nothing.

        Raises Problem `invalid_birthday`, `not_enrolled`, `rule_already_completed` where another day is known,
        `feature_unavailable`, and `request_in_progress` while they are earning something else.
        """
        if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(2024, month)[1]:
            raise problem_of("birthday", 400)
        return await self._tasks.run(self._tell(session, Birthday(day=day, month=month)))

    async def _tell(self, session: Session, birthday: Birthday) -> Member:
        async with self._leases.lease(f"earn:{session.data.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            member = await self._members.member(session)
            if member.state != "enrolled":
                raise problem_of("birthday", 403)
            if member.birthday is None:
                await self._exchange.as_member(session, BIRTHDAY, day=birthday.day, month=birthday.month)
                return await self._members.member(session)
            if member.birthday != birthday:
                wrong = N_("If it is wrong, please write to the shop; they can look into it.")
                raise Problem("rule_already_completed", "A birthday is told once, and we know yours.", wrong)
            return member

    async def _paid(self, session: Session, rule: Rule) -> Result:
        try:
            earned = await self._exchange.as_member(session, TRIGGER, rule=rule.id)
        except UpstreamFailed as failure:
            # A lost reply is not sent again: whether it was done shows in the rules.
            if not failure.sent or not await self._was_completed(session, rule.id):
                raise
            log.info("completion_found_out")
            earned = Earned(points=rule.points)
        return self._result(session, earned, rule)

    async def _was_completed(self, session: Session, rule_id: str) -> bool:
        return any(rule.id == rule_id and rule.is_completed for rule in await self._rules(session))

    def _result(self, session: Session, earned: Earned, rule: Rule) -> Result:
        if earned.code is not None:
            apply_url = apply_url_at(session.storefront, self._apply_url)
            return Result(kind="coupon", coupon=Coupon.from_okendo(earned, apply_url))
        if earned.store_credit is not None:
            return Result(kind="store_credit", store_credit=Money.of(earned.store_credit, earned.currency))
        # What the rule pays, where the answer itself did not come or does not tell.
        if (kind := PAYS.get(rule.pays) or PAYS.get(rule.calculation)) is not None:
            return Result(kind=kind)
        return Result(kind="points", points=whole(earned.points if earned.points is not None else rule.points))

    async def _rules(self, session: Session, locale: Locale = NO_LOCALE) -> list[Rule]:
        return await self._exchange.as_member(session, CUSTOMER_EARNING_RULES, **locale)
