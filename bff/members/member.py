"""A member as Okendo sees them at this moment."""

import asyncio

from bff.errors import Problem
from bff.members.partial import or_none
from bff.schemas.member import Member
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session, Sessions
from bff.vendors.okendo.member_operations import CUSTOMER
from bff.vendors.okendo.refusals import problem_of
from bff.vendors.okendo.replies import Customer

# The member as one request has asked for them already, so that all of it speaks of the same moment.
MemberTask = asyncio.Task[Customer]


class Members:
    """Besides what each method says, all raise UpstreamFailed when Okendo fails, and Problem `session_expired` once the
    sign-in cannot be renewed any more."""

    def __init__(self, *, exchange: Exchange, sessions: Sessions) -> None:
        self._exchange = exchange
        self._sessions = sessions

    async def member(self, session: Session) -> Member:
        """The member as Okendo sees them now; raises Problem `member_blocked` for one who is blocked."""
        return Member.from_okendo(await self.customer(session), session.data.name)

    async def customer(self, session: Session) -> Customer:
        """The same as Okendo words it; the session remembers the state."""
        customer = await self._exchange.as_member(session, CUSTOMER)
        if customer.state != session.data.state:
            # Whoever asks knows it now; the session may learn it later.
            await self._sessions.change_if_possible(session, state=customer.state)
        if customer.state == "blocked":
            raise problem_of("customer", 403)
        return customer

    async def state_now(self, session: Session) -> str | None:
        """The state as Okendo tells it now, None when it cannot be read: what a sign-in heard before grants nothing.

        Raises Problem `member_blocked`.
        """
        customer = await or_none(self.customer(session))
        return None if customer is None else customer.state

    async def is_blocked(self, session: Session) -> bool:
        """Whether Okendo says so, now or when this sign-in last heard of them; not, when it cannot be asked."""
        if session.data.state == "blocked":
            return True
        try:
            await self.customer(session)
        except Problem as problem:
            return problem.code == "member_blocked"
        return False
