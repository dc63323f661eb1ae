"""What a member can do: sign in to the program, see themselves and their rewards, join, and refer friends.

No HTTP, no SQL, no HTML in here: sessions and consents remember, Shopify and Okendo answer, and this decides.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog

from bff.errors import Problem, UpstreamFailed, VendorRefused
from bff.members.consents import Consent, ConsentOutcome, Consents
from bff.program.catalogue import Catalogue
from bff.program.policies import Policies
from bff.schemas.activity import Referral, Referrals
from bff.schemas.member import Member, TierProgress, member_of, tier_progress_of
from bff.schemas.program import EarningRule, Reward, can_redeem_of, earning_rule_of, reward_of
from bff.sessions.exchange import LEASE_WAIT_SECONDS, Exchange
from bff.sessions.store import Record, Session, Sessions
from bff.vendors.okendo.client import Okendo
from bff.vendors.okendo.member_operations import (
    CUSTOMER,
    CUSTOMER_ACTIVATION,
    CUSTOMER_REDEMPTION_RULES,
    REFERRAL_COUNT,
    REFERRAL_REQUEST,
    REFERRALS,
    SPEND,
    TRANSACTIONS,
)
from bff.vendors.okendo.operations import REFERRAL_SENDER
from bff.vendors.okendo.refusals import explained, problem_of
from bff.vendors.okendo.replies import Customer, RedemptionRule, Spend, Tier, Transaction
from bff.vendors.okendo.row import Locale, Page
from bff.vendors.sanitize import safe_link
from bff.vendors.shopify.client import Shopify
from bff.vendors.shopify.tokens import ShopifyCustomer, ShopifyTokens

Part = TypeVar("Part")
# The member as one request has asked for them already, so that all of it speaks of the same moment.
Known = asyncio.Task[Customer]
SAME_INVITATION_SECONDS = 60
FRESHEN_SECONDS = 2
log = structlog.get_logger("loyalty")


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What a member clicked on: the version and digest of the words that were shown, and where."""

    version: str | int | float
    digest: str
    locale: str
    request_id: str


class Parts(NamedTuple):
    """What the program is made of: the two vendors, what is remembered, and the public copies."""

    okendo: Okendo
    shopify: Shopify
    sessions: Sessions
    exchange: Exchange
    consents: Consents
    catalogue: Catalogue


class Climb(NamedTuple):
    """The tiers, lowest first, and what a member has spent towards them, where Okendo tells."""

    tiers: list[Tier]
    spend: Spend | None


class Loyalty:
    """One store's program for signed-in shoppers. Besides what each method says, all raise UpstreamFailed when a
    vendor fails, and Problem `session_expired` once the sign-in cannot be renewed any more."""

    def __init__(self, parts: Parts) -> None:
        self._okendo = parts.okendo
        self._shopify = parts.shopify
        self._sessions = parts.sessions
        self._consents = parts.consents
        self._catalogue = parts.catalogue
        self._exchange = parts.exchange

    async def sign_in(self, tokens: ShopifyTokens, customer: ShopifyCustomer) -> str:
        """Begin a session for a customer whose token Shopify has vouched for; returns the cookie's value.

        Okendo is asked at once, but a failure there does not undo the sign-in: it is asked again when needed.
        """
        record = Record(
            customer_id=customer.id,
            generation=secrets.token_urlsafe(16),
            created_at=self._sessions.clock(),
            shopify=tokens,
            name=customer.name,
            email=customer.email,
        )
        cookie = await self._sessions.create(record)
        session = await self._sessions.load(cookie)
        if session is not None:
            try:
                async with asyncio.timeout(4):
                    await self._exchange.jwt(session)
            except (UpstreamFailed, TimeoutError):
                log.info("exchange_postponed")
            except Problem:
                await self._sessions.end(session.key)
                raise
        return cookie

    async def freshen(self, session: Session) -> None:
        """Okendo has told that something about this member changed: ask what they are now. If that fails, it is tried
        again at the next visit. Raises Problem `session_expired`."""
        await self._sessions.set_stale(session, stale=False)
        try:
            async with asyncio.timeout(FRESHEN_SECONDS):
                await self._exchange.renew(session)
        except (UpstreamFailed, TimeoutError):
            await self._sessions.set_stale(session, stale=True)
            log.info("freshening_postponed")

    async def sign_out(self, session: Session) -> None:
        """End the session here first, then at Shopify as well if that answers soon."""
        await self._sessions.end(session.key)
        if session.record.shopify.id_token is not None:
            with contextlib.suppress(UpstreamFailed, VendorRefused, TimeoutError):
                async with asyncio.timeout(2):
                    await self._shopify.end_session(session.record.shopify.id_token)

    async def member(self, session: Session) -> Member:
        """The member as Okendo sees them now; raises Problem `member_blocked` for one who is blocked."""
        return member_of(await self.customer(session), session.record.name)

    async def customer(self, session: Session) -> Customer:
        """The same as Okendo words it; the session remembers the state."""
        customer = await self._exchange.as_member(session, CUSTOMER)
        if customer.state != session.record.state:
            await self._sessions.change(session, state=customer.state)
        if customer.state == "blocked":
            raise problem_of("customer", 403)
        return customer

    async def is_blocked(self, session: Session) -> bool:
        """Whether Okendo says so, now or when this sign-in last heard of them; not, when it cannot be asked."""
        if session.record.state == "blocked":
            return True
        try:
            await self.customer(session)
        except Problem as problem:
            return problem.code == "member_blocked"
        return False

    async def rewards(
        self, session: Session, locale: Locale | None = None, known: Known | None = None
    ) -> tuple[Member, list[Reward]]:
        """The member and the rewards they are offered, each with whether and why not it can be redeemed now."""
        customer, rules, ladder = await asyncio.gather(
            known or self.customer(session), self._rules(session, locale), self._ladder()
        )
        return member_of(customer, session.record.name), [
            reward_of(rule, can_redeem_of(rule, customer, ladder)) for rule in rules
        ]

    async def glance(self, session: Session) -> tuple[Member | None, list[Reward] | None]:
        """The same for a page: whichever of the two Okendo fails to tell is None, and the other is there."""
        customer, rules, ladder = await asyncio.gather(
            part(self.customer(session)), quiet(self._rules(session)), self._ladder()
        )
        member = None if customer is None else member_of(customer, session.record.name)
        if rules is None or customer is None:
            return member, None if rules is None else [reward_of(rule, None) for rule in rules]
        return member, [reward_of(rule, can_redeem_of(rule, customer, ladder)) for rule in rules]

    async def public_rewards(self, locale: Locale | None = None) -> list[Reward]:
        """The rewards as a stranger sees them."""
        return [reward_of(rule, None) for rule in await self._catalogue.rewards(locale)]

    async def earning_rules(self) -> list[EarningRule]:
        rules = await self._catalogue.earning_rules()
        return [earning_rule_of(rule) for rule in rules]

    async def tier_progress(self, session: Session, known: Known | None = None) -> TierProgress:
        """How far it is to the next tier; without what was spent where Okendo does not tell."""
        customer, climb = await asyncio.gather(known or self.customer(session), self.climb(session))
        return tier_progress_of(customer.tier, *climb)

    async def climb(self, session: Session) -> Climb:
        """What the way to the next tier is reckoned from, for whoever has asked for the member already."""
        tiers, spend = await asyncio.gather(self._catalogue.tiers(), self._spend(session))
        return Climb(tiers, spend)

    async def join(self, session: Session, agreement: Agreement) -> tuple[Member, bool]:
        """Enrol a member who agreed to exactly the words that are in force now. Returns the member, and False when
        they were enrolled already.

        Raises Problem `policies_outdated` when the words differ from those shown (nothing is sent), `member_blocked`,
        `feature_unavailable` when Okendo does not let this program enrol, `store_unavailable` when the evidence cannot
        be stored, UpstreamFailed when the policies are unreadable or are refused although they are in force.
        """
        async with self._sessions.alone(f"join:{session.record.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            customer = await self.customer(session)
            if customer.state == "enrolled":
                await self._complete_evidence(session)
                return member_of(customer, session.record.name), False
            policies = await self._catalogue.current_policies()
            if not _is_same(policies, agreement):
                raise problem_of("customer_activation", 400)
            await self._enrol(session, policies, agreement)
            return await self.member(session), True

    async def jwt(self, session: Session) -> str:
        """A JWT for a call that is made once, whatever comes back."""
        return await self._exchange.jwt(session)

    async def transactions(self, session: Session, *, limit: int, cursor: str | None = None) -> Page[Transaction]:
        """A page of the member's history, newest first."""
        return await self._exchange.as_member(session, TRANSACTIONS, limit=limit, order="date desc", cursor=cursor)

    async def referrals(self, session: Session, cursor: str | None = None) -> Referrals:
        """The friends this member invited: states and dates, never addresses or whether they are customers. `cursor`
        and `next` are the vendor's own tokens."""
        history, counted, url = await asyncio.gather(
            self._exchange.as_member(session, REFERRALS, cursor=cursor),
            self._exchange.as_member(session, REFERRAL_COUNT),
            self._referral_url(session),
        )
        shown = [Referral(status=referral.status, date=referral.date) for referral in history.items]
        following = history.next if history.next != cursor else None
        return Referrals(referrals=shown, count=counted.count, url=url, next=following)

    async def refer(self, session: Session, email: str) -> None:
        """Ask Okendo to invite one friend; `email` is a checked address.

        Raises Problem `not_enrolled`, and `referral_rejected` for the member's own address. A refusal of Okendo's is
        kept to ourselves: it would tell whether the friend is a customer (K5).
        """
        customer = await self.customer(session)
        if customer.state != "enrolled":
            raise problem_of("referral_request", 403)
        own = {mailbox(address) for address in (customer.email, session.record.email) if address}
        if mailbox(email) in own:
            raise problem_of("referral_request", 400)
        async with self._sessions.alone(f"refer:{session.record.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            # A double click asks twice; one invitation is what was meant (L7).
            intent = f"refer {session.record.customer_id} {email.casefold()}"
            if not await self._sessions.remembers(intent):
                await self._invite(session, customer, email)
                await self._sessions.remember(intent, seconds=SAME_INVITATION_SECONDS)

    async def _invite(self, session: Session, customer: Customer, email: str) -> None:
        sender = customer.referral_sender_id or (await self._referral_sender(session)).id
        try:
            await self._exchange.as_member(session, REFERRAL_REQUEST, email=email, sender=sender)
        except Problem as problem:
            if problem.code != "referral_rejected":
                raise

    async def _enrol(self, session: Session, policies: Policies, agreement: Agreement) -> None:
        number = await self._consents.store(self._consent(session, policies, agreement))
        outcome: ConsentOutcome = "unknown"
        try:
            await self._exchange.as_member(
                session, CUSTOMER_ACTIVATION, channel=self._okendo.partner_id, version=policies.version
            )
            outcome = "accepted"
        except UpstreamFailed as failure:
            if not failure.sent:
                outcome = "refused"
                raise
            # The reply is lost, so Okendo is asked what it knows: enrolment shows in the member's state.
            if (await self.customer(session)).state != "enrolled":
                raise
            outcome = "accepted"
        except Problem as refusal:
            outcome = "refused"
            raise await self._why_refused(session, agreement, refusal) from None
        finally:
            await self._note_outcome(number, outcome)

    async def _why_refused(self, session: Session, agreement: Agreement, refusal: Problem) -> Problem:
        """Okendo refuses for other reasons under the same statuses, so it is asked what is so: nobody is told that
        words have changed which have not, or that they are blocked when they are not."""
        if refusal.code == "feature_unavailable":
            await self.customer(session)
        elif refusal.code == "policies_outdated" and _is_same(await self._catalogue.current_policies(), agreement):
            words = "You cannot be enrolled right now. The terms are as you saw them; please try again later."
            return UpstreamFailed("It refused the policies that are in force.", sent=False, words=words)
        return refusal

    async def _note_outcome(self, number: int, outcome: ConsentOutcome) -> None:
        """The evidence is stored already; that its outcome cannot be added now changes nothing for the member."""
        try:
            await self._consents.settle(number, outcome)
        except Problem:
            log.error("consent_not_settled", state=outcome)

    async def _complete_evidence(self, session: Session) -> None:
        """An earlier click whose answer was lost has worked after all; this one needs no evidence of its own."""
        try:
            await self._consents.complete(session.record.customer_id)
        except Problem:
            log.error("consent_not_settled", state="accepted")

    def _consent(self, session: Session, policies: Policies, agreement: Agreement) -> Consent:
        return Consent(
            customer_id=session.record.customer_id,
            version=str(policies.version),
            digest=policies.digest,
            button_text=policies.button_text,
            sentence_html=policies.sentence_html,
            privacy_policy_url=policies.privacy_policy_url,
            terms_and_conditions_url=policies.terms_and_conditions_url,
            locale=agreement.locale,
            channel=self._okendo.partner_id,
            request_id=agreement.request_id,
        )

    async def _rules(self, session: Session, locale: Locale | None = None) -> list[RedemptionRule]:
        return await self._exchange.as_member(session, CUSTOMER_REDEMPTION_RULES, **(locale or {}))

    async def _spend(self, session: Session) -> Spend | None:
        try:
            return await self._exchange.as_member(session, SPEND)
        except Problem as problem:
            if problem.code not in {"not_enrolled", "feature_unavailable"}:
                raise
            return None

    async def _ladder(self) -> list[str]:
        """Tier names, lowest first; empty when Okendo does not say, since rewards are worth showing without it."""
        try:
            return [tier.name for tier in await self._catalogue.tiers()]
        except (UpstreamFailed, VendorRefused):
            return []

    async def _referral_url(self, session: Session) -> str | None:
        try:
            return safe_link((await self._referral_sender(session)).url)
        except (UpstreamFailed, Problem):
            return None

    async def _referral_sender(self, session: Session) -> Any:
        if session.record.email is None:
            raise Problem("feature_unavailable", "Referral links need an email address in the shop account.")
        try:
            return await self._okendo.for_store(REFERRAL_SENDER, email=session.record.email)
        except VendorRefused as refusal:
            raise explained(refusal) from None


def mailbox(email: str) -> str:
    """One spelling for what most likely is one mailbox: without case and without +tag (K6)."""
    local, _, domain = email.casefold().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


async def part(wanted: Awaitable[Part]) -> Part | None:
    """One section of a page: when a vendor fails it is None, and the rest of the page is there."""
    try:
        return await wanted
    except (UpstreamFailed, VendorRefused):
        return None


async def quiet(wanted: Awaitable[Part]) -> Part | None:
    """The same, and it is None as well when Okendo refuses just this: what it says of the member decides who is
    blocked. Only the end of the sign-in is the end of the page."""
    try:
        return await part(wanted)
    except Problem as problem:
        if problem.status == 401:
            raise
        return None


def _is_same(policies: Policies, agreement: Agreement) -> bool:
    same_version = type(policies.version) is type(agreement.version) and policies.version == agreement.version
    return same_version and policies.digest == agreement.digest
