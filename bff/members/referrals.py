"""The friends a member invites."""

import asyncio

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.members.member import Members
from bff.members.partial import whole
from bff.schemas.activity import Referral, Referrals
from bff.schemas.outbound import referred
from bff.sessions.exchange import LEASE_WAIT_SECONDS, Exchange
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.stores.outbox import Outbox
from bff.tasks import DetachedTasks
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.member_operations import REFERRAL_COUNT, REFERRAL_REQUEST, REFERRALS
from bff.vendors.okendo.operations import REFERRAL_SENDER
from bff.vendors.okendo.refusals import explained, problem_of
from bff.vendors.okendo.replies import Customer, ReferralSender
from bff.vendors.sanitize import safe_link

SAME_INVITATION_SECONDS = 60


class MemberReferrals:
    """Besides what each method says, all raise UpstreamFailed when Okendo fails, and Problem `session_expired`,
    `member_blocked`."""

    def __init__(
        self,
        *,
        okendo: OkendoClient,
        members: Members,
        exchange: Exchange,
        leases: Leases,
        outbox: Outbox,
        tasks: DetachedTasks,
    ) -> None:
        self._okendo = okendo
        self._members = members
        self._exchange = exchange
        self._leases = leases
        self._outbox = outbox
        self._tasks = tasks

    async def history(self, session: Session, cursor: str | None = None) -> Referrals:
        """The friends this member invited: states and dates, never addresses or whether they are customers. `cursor`
        and `next` are the vendor's own tokens."""
        history, counted, url = await asyncio.gather(
            self._exchange.as_member(session, REFERRALS, cursor=cursor),
            self._exchange.as_member(session, REFERRAL_COUNT),
            self._url(session),
        )
        shown = [Referral(status=referral.status, created_at=referral.date) for referral in whole(history).items]
        return Referrals(referrals=shown, count=counted.count, url=url, next=history.next)

    async def invite(self, session: Session, email: str) -> None:
        """Ask Okendo to invite one friend; `email` is a checked address.

        Raises Problem `not_enrolled`, and `referral_rejected` for the member's own address. A refusal of Okendo's is
        kept to ourselves: it would tell whether the friend is a customer (K5).
        """
        customer = await self._members.customer(session)
        if customer.state != "enrolled":
            raise problem_of("referral_request", 403)
        own = {mailbox(address) for address in (customer.email, session.data.email) if address}
        if mailbox(email) in own:
            raise problem_of("referral_request", 400)
        await self._tasks.run(self._invite_once(session, customer, email))

    async def _invite_once(self, session: Session, customer: Customer, email: str) -> None:
        async with self._leases.lease(f"refer:{session.data.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            # A double click asks twice; one invitation is what was meant (L7).
            intent = f"refer {session.data.customer_id} {email.casefold()}"
            if not await self._leases.is_done(intent):
                await self._invite(session, customer, email)
                await self._leases.mark_done(intent, seconds=SAME_INVITATION_SECONDS)

    async def _invite(self, session: Session, customer: Customer, email: str) -> None:
        sender = customer.referral_sender_id or (await self._sender(session)).id
        try:
            await self._exchange.as_member(session, REFERRAL_REQUEST, email=email, sender=sender)
        except Problem as problem:
            if problem.code != "referral_rejected":
                raise
        else:
            self._outbox.record(referred(session.data.customer_id))

    async def _url(self, session: Session) -> str | None:
        try:
            return safe_link((await self._sender(session)).url)
        except (UpstreamFailed, Problem):
            return None

    async def _sender(self, session: Session) -> ReferralSender:
        if session.data.email is None:
            raise Problem("feature_unavailable", "Referral links need an email address in the shop account.")
        try:
            return await self._okendo.for_store(REFERRAL_SENDER, email=session.data.email)
        except VendorRefused as refusal:
            raise explained(refusal) from None


def mailbox(email: str) -> str:
    """One spelling for what most likely is one mailbox: without case and without +tag (K6)."""
    local, _, domain = email.casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"
