"""Joining the program: only with the words that are in force, and with the evidence stored before Okendo is told."""

import logging

import msgspec
import structlog

from bff.errors import Problem, UpstreamFailed
from bff.members.consents import UNDETERMINED, Consent, ConsentOutcome, Consents
from bff.members.member import Members
from bff.program.catalogue import Catalogue, ShownPolicies
from bff.schemas.member import Member
from bff.schemas.policies import LegalPolicies
from bff.sentences import N_
from bff.sessions.exchange import LEASE_WAIT_SECONDS, Exchange
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.tasks import DetachedTasks
from bff.vendors.okendo.member_operations import CUSTOMER_ACTIVATION
from bff.vendors.okendo.refusals import problem_of
from bff.vendors.okendo.row import Locale, written

log = structlog.get_logger("enrolment")
# For so long after the click a member is welcomed.
JUST_SECONDS = 3600


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """What a member clicked on: the version and digest of the words that were shown, the locale in which those were
    asked for, and the origin of the page they stood on, None for a program that says nothing of any."""

    version: str | int | float
    digest: str
    locale: Locale
    origin: str | None
    request_id: str


class Enrolment:
    """Enrols members. `channel` is what they are counted under at Okendo: the partner id."""

    def __init__(
        self,
        *,
        members: Members,
        exchange: Exchange,
        catalogue: Catalogue,
        consents: Consents,
        leases: Leases,
        channel: str,
        tasks: DetachedTasks,
    ) -> None:
        self._members = members
        self._exchange = exchange
        self._catalogue = catalogue
        self._consents = consents
        self._leases = leases
        self._channel = channel
        self._tasks = tasks

    async def join(self, session: Session, agreement: Agreement) -> tuple[Member, bool]:
        """Enrol a member who agreed to exactly the words that are in force now. Returns the member, and False when
        they were enrolled already.

        Raises Problem `policies_outdated` when the words differ from those shown (nothing is sent), `member_blocked`,
        `feature_unavailable` when Okendo does not let this program enrol, `store_unavailable` when the evidence cannot
        be stored, UpstreamFailed when the policies are unreadable or are refused although they are in force.
        """
        return await self._tasks.run(self._join(session, agreement))

    async def has_just_joined(self, session: Session) -> bool:
        """Whether this member agreed to join within the hour; not, where PostgreSQL does not tell."""
        try:
            return await self._consents.has_agreed_lately(session.data.customer_id, JUST_SECONDS)
        except Problem:
            return False

    async def _join(self, session: Session, agreement: Agreement) -> tuple[Member, bool]:
        """Detached, so that what came of it is recorded with the evidence whoever still waits for it."""
        async with self._leases.lease(f"join:{session.data.customer_id}", wait_seconds=LEASE_WAIT_SECONDS):
            customer = await self._members.customer(session)
            if customer.state == "enrolled":
                await self._complete_evidence(session)
                return Member.from_okendo(customer, session.data.name), False
            shown = await self._catalogue.current_policies(agreement.locale)
            if not _is_same(shown.policies, agreement):
                raise problem_of("customer_activation", 400)
            await self._enrol(session, shown, agreement)
            return await self._members.member(session), True

    async def _enrol(self, session: Session, shown: ShownPolicies, agreement: Agreement) -> None:
        number = await self._consents.store(self._consent(session, shown, agreement))
        outcome: ConsentOutcome = "unknown"
        try:
            await self._exchange.as_member(
                session, CUSTOMER_ACTIVATION, channel=self._channel, version=shown.policies.version
            )
            outcome = "accepted"
        except UpstreamFailed as failure:
            if not failure.sent:
                outcome = "refused"
                raise
            # The reply is lost, so Okendo is asked what it knows: enrolment shows in the member's state.
            if (await self._members.customer(session)).state != "enrolled":
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
            await self._members.customer(session)
        elif refusal.code == "policies_outdated" and await self._is_in_force(agreement):
            words = N_("You cannot be enrolled right now. The terms are as you saw them; please try again later.")
            return UpstreamFailed("It refused the policies that are in force.", sent=False, words=words)
        return refusal

    async def _is_in_force(self, agreement: Agreement) -> bool:
        return _is_same((await self._catalogue.current_policies(agreement.locale)).policies, agreement)

    async def _note_outcome(self, number: int, outcome: ConsentOutcome) -> None:
        """The evidence is stored already; that its outcome cannot be added now changes nothing for the member."""
        log.log(logging.WARNING if outcome == "unknown" else logging.INFO, "consent", state=outcome)
        try:
            await self._consents.settle(number, outcome)
        except Problem:
            log.warning("consent_not_settled", state=outcome)

    async def _complete_evidence(self, session: Session) -> None:
        """An earlier click whose answer was lost has worked after all; this one needs no evidence of its own."""
        try:
            await self._consents.complete(session.data.customer_id)
        except Problem:
            log.warning("consent_not_settled", state="accepted")

    def _consent(self, session: Session, shown: ShownPolicies, agreement: Agreement) -> Consent:
        policies = shown.policies
        return Consent(
            customer_id=session.data.customer_id,
            version=str(policies.version),
            digest=policies.digest,
            button_text=policies.button_text,
            sentence_html=policies.sentence_html,
            privacy_policy_url=policies.privacy_policy_url,
            terms_and_conditions_url=policies.terms_and_conditions_url,
            locale=shown.language or UNDETERMINED,
            locale_requested=written(agreement.locale),
            origin=agreement.origin,
            channel=self._channel,
            request_id=agreement.request_id,
        )


def _is_same(policies: LegalPolicies, agreement: Agreement) -> bool:
    same_version = type(policies.version) is type(agreement.version) and policies.version == agreement.version
    return same_version and policies.digest == agreement.digest
