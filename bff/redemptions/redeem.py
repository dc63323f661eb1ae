"""Redeeming points exactly once at a vendor without idempotency keys.

The intent is written down, then it is sent to Okendo once, and the reply is kept under the shopper's key for ever. When
the reply is lost, the outcome is unknown: the shopper is told so, nothing is sent again, and `reconcile` settles it.
"""

import asyncio
import contextlib
import hashlib
import logging

import msgspec
import structlog

from bff.clock import Clock
from bff.errors import Busy, Problem, UpstreamFailed, VendorRefused
from bff.members.activity import MemberActivity
from bff.members.rewards import MemberRewards
from bff.redemptions.ledger import Entry, Intent, Ledger, Outcome, Recent
from bff.redemptions.offline_access import OfflineAccess
from bff.redemptions.outcomes import NOT_READY
from bff.redemptions.reconcile import newest_first
from bff.redemptions.unresolved import UnresolvedRedemptions
from bff.schemas.program import Reward
from bff.sessions.exchange import Exchange
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.tasks import DetachedTasks
from bff.vendors.okendo.client import OkendoClient
from bff.vendors.okendo.member_operations import REDEEM
from bff.vendors.okendo.refusals import REFUSALS, problem_of
from bff.vendors.okendo.replies import Redeemed

LEASE_WAIT_SECONDS = 6.0
ANSWER_SECONDS = 9.0
# If marking it as sent took longer, it is not sent any more: reconciliation may begin soon, and must see its effect.
SEND_SECONDS = 10.0
# Enough of the history to see that it came newest first, as requested.
HISTORY_LIMIT = 10
log = structlog.get_logger("redemption")


class RedeemRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One reward under one idempotency key. `request_id` is kept as evidence alone."""

    key: str
    reward_id: str
    request_id: str

    @property
    def fingerprint(self) -> str:
        """It distinguishes a replay of this request from another request under the same key."""
        return hashlib.sha256(self.reward_id.encode()).hexdigest()


class Redemptions:
    """Redeeming, and what came of it. Besides what they say, all methods raise Problem `store_unavailable`."""

    def __init__(
        self,
        *,
        rewards: MemberRewards,
        activity: MemberActivity,
        exchange: Exchange,
        okendo: OkendoClient,
        leases: Leases,
        ledger: Ledger,
        unresolved: UnresolvedRedemptions,
        offline_access: OfflineAccess,
        clock: Clock,
        tasks: DetachedTasks,
    ) -> None:
        self._rewards = rewards
        self._activity = activity
        self._exchange = exchange
        self._okendo = okendo
        self._leases = leases
        self._ledger = ledger
        self._unresolved = unresolved
        self._offline_access = offline_access
        self._clock = clock
        self._tasks = tasks

    async def redeem(self, session: Session, wanted: RedeemRequest) -> tuple[Entry, bool]:
        """Redeem, or replay the stored outcome. Returns the entry and whether it is a replay.

        Raises Problem `idempotency_key_reused` (another reward under this key), `request_in_progress` (this or
        another redemption of the member is under way), `not_found` (a reward that is not offered to them), and what
        `NOT_READY` lists; nothing has been sent then. Raises UpstreamFailed before anything is sent.
        """
        # The task outlives the request: the outcome is written even when the shopper leaves or the deadline passes.
        task = self._tasks.start(self._carry_out(session, wanted))
        await asyncio.wait({task}, timeout=ANSWER_SECONDS)
        if task.done():
            return task.result()
        entry = await self._ledger.find(session.data.customer_id, wanted.key)
        if entry is None:
            raise Problem("request_in_progress", "This is taking longer than usual.", retry_after_seconds=2)
        return entry, False

    async def find(self, session: Session, key: str) -> Entry:
        """The member's own entry; raises Problem `not_found`.

        If its outcome is unknown and the stored credentials do not work any more, this session's are attached.
        """
        known = await self._ledger.find(session.data.customer_id, key)
        if known is None:
            raise Problem("not_found", "There is no redemption under this address.")
        if not await self._needs_credentials(known, session):
            return known
        loyalty = session.data.loyalty
        return await self._unresolved.attach_credentials(
            known, session, self._offline_access.sealed(session, loyalty.jwt if loyalty else None)
        )

    async def _needs_credentials(self, entry: Entry, session: Session) -> bool:
        """Whether it cannot be reconciled with the stored credentials. An expired one takes only a later sign-in."""
        if entry.state != "unknown":
            return False
        if entry.check_until is None and session.data.created_at <= entry.changed_at.timestamp():
            return False
        return not await self._offline_access.serves(entry.customer_id, entry.credentials)

    async def unsettled(self, session: Session) -> str | None:
        """The key of the member's latest redemption that is being reconciled."""
        return await self._unresolved.unsettled(session.data.customer_id)

    async def recent(self, session: Session, reward_id: str) -> Recent | None:
        """A redemption of this reward that is being reconciled, or that this session made minutes ago."""
        return await self._ledger.recent(session.data.customer_id, reward_id, session.data.created_at)

    async def _carry_out(self, session: Session, wanted: RedeemRequest) -> tuple[Entry, bool]:
        """One at a time per member. Whoever would have to wait is told first what is known under their key already."""
        async with contextlib.AsyncExitStack() as turn:
            try:
                await turn.enter_async_context(self._turn(session, wait_seconds=0))
            except Busy:
                entry = await self._ledger.find(session.data.customer_id, wanted.key)
                if entry is not None:
                    return _replay(entry, wanted), True
                await turn.enter_async_context(self._turn(session, wait_seconds=LEASE_WAIT_SECONDS))
            return await self._in_turn(session, wanted)

    def _turn(self, session: Session, *, wait_seconds: float) -> contextlib.AbstractAsyncContextManager[None]:
        return self._leases.lease(f"redeem:{session.data.customer_id}", wait_seconds=wait_seconds)

    async def _in_turn(self, session: Session, wanted: RedeemRequest) -> tuple[Entry, bool]:
        entry = await self._ledger.find(session.data.customer_id, wanted.key)
        if entry is not None:
            return _replay(entry, wanted), True
        intent, jwt = await self._intent(session, wanted)
        entry, is_new = await self._ledger.reserve(intent)
        if not is_new:
            return _replay(entry, wanted), True
        return await self._send_once(jwt, entry), False

    async def _intent(self, session: Session, wanted: RedeemRequest) -> tuple[Intent, str]:
        """What is to be redeemed, with balance, price and eligibility as Okendo has them now, and the JWT to send."""
        (member, rewards), last_transaction_id = await asyncio.gather(
            self._rewards.offered(session), self._last_transaction_id(session)
        )
        reward, points = _redeemable(rewards, wanted.reward_id)
        jwt = await self._exchange.jwt(session)
        intent = Intent(
            customer_id=session.data.customer_id,
            key=wanted.key,
            fingerprint=wanted.fingerprint,
            reward_id=reward.id,
            reward_name=reward.name,
            points=points,
            balance_seen=member.points.balance,
            newest_transaction=last_transaction_id,
            session=session.key,
            credentials=self._offline_access.sealed(session, jwt),
            request_id=wanted.request_id,
        )
        return intent, jwt

    async def _last_transaction_id(self, session: Session) -> str | None:
        """The newest transaction before anything is sent, from which a lost reply can be reconciled later.

        "" when there is none yet, None when Okendo has no history for us: then a lost reply stays unknown.
        """
        try:
            history = (await self._activity.transactions(session, limit=HISTORY_LIMIT)).items
        except UpstreamFailed:
            raise
        except Problem as problem:
            if problem.code != "feature_unavailable":
                raise
            log.error("history_unreadable")
            return None
        if not newest_first(history):
            log.error("history_unordered")
            return None
        return history[0].id if history else ""

    async def _send_once(self, jwt: str, entry: Entry) -> Entry:
        began = self._clock()
        if not await self._ledger.mark_sent(entry):
            return await self._ledger.find(entry.customer_id, entry.key) or entry
        if self._clock() - began <= SEND_SECONDS:
            outcome = await self._call_okendo(jwt, entry)
        else:
            outcome = Outcome(state="failed", reason="store_unavailable")
        level = logging.WARNING if outcome.state == "unknown" else logging.INFO
        log.log(level, "redemption", state=outcome.state, reason=outcome.reason, reference=entry.support_reference)
        try:
            settled = await self._ledger.settle(entry, outcome)
            if outcome.state == "succeeded" and settled.state != "succeeded":
                log.error("redemption_contradicted", reference=entry.support_reference)
            return msgspec.structs.replace(settled, retry_after_seconds=outcome.retry_after_seconds)
        except Problem:
            # The entry stays "sent" and becomes "unknown" soon, which is true in any case; nothing is sent again.
            log.warning("redemption_not_settled", reference=entry.support_reference)
            return msgspec.structs.replace(entry, state="sent")

    async def _call_okendo(self, jwt: str, entry: Entry) -> Outcome:
        """Send it to Okendo, once, and read the reply."""
        try:
            redeemed = await self._okendo.for_member(REDEEM, jwt, reward=entry.reward_id)
        except VendorRefused as refusal:
            # Another 4xx, such as a gateway's 408, does not say that nothing was done.
            if (refusal.operation, refusal.status) not in REFUSALS:
                return Outcome(state="unknown")
            return Outcome(state="failed", reason=problem_of(refusal.operation, refusal.status).code)
        except UpstreamFailed as failure:
            if failure.sent:
                return Outcome(state="unknown")
            return Outcome(state="failed", reason=failure.code, retry_after_seconds=failure.retry_after_seconds)
        return _success(redeemed)


def _success(redeemed: Redeemed) -> Outcome:
    if redeemed.code is None and redeemed.store_credit is None:
        # Okendo said yes, but not in a form we know what it gave: to say "no code needed" might be wrong.
        return Outcome(state="unknown")
    return Outcome.brought(redeemed, redeemed.transaction_id)


def _replay(entry: Entry, wanted: RedeemRequest) -> Entry:
    if entry.fingerprint != wanted.fingerprint:
        raise Problem("idempotency_key_reused", "This Idempotency-Key was used for another reward.")
    if entry.state in {"reserved", "sent"}:
        raise Problem("request_in_progress", "This redemption is under way already.", retry_after_seconds=2)
    return entry


def _redeemable(rewards: list[Reward], reward_id: str) -> tuple[Reward, int]:
    """The reward, if it is one that was offered to this member and can be redeemed now (H8, L8), and its price."""
    reward = next((reward for reward in rewards if reward.id == reward_id), None)
    if reward is None or reward.can_redeem is None:
        raise Problem("not_found", "There is no such reward.")
    if reward.can_redeem.state == "ready" and reward.points is not None:
        return reward, reward.points
    code, sentence = NOT_READY.get(reward.can_redeem.state, NOT_READY["unavailable"])
    raise Problem(code, sentence)
