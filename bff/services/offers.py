"""What the program offers a member: points, rewards, ways to earn, tiers, friends, retailers."""

from typing import TypedDict

from bff.awards.ledger import Awards
from bff.members.activity import MemberActivity
from bff.members.consents import Consents
from bff.members.earned import EarnedResults
from bff.members.earning import Earning
from bff.members.enrolment import Enrolment
from bff.members.member import Members
from bff.members.referrals import MemberReferrals
from bff.members.retailers import LinkedRetailers
from bff.members.rewards import MemberRewards
from bff.members.tiers import MemberTiers
from bff.program.catalogue import Catalogue
from bff.program.rendered import RenderedResponses
from bff.services.foundation import Foundation
from bff.services.vendors import Vendors
from bff.sessions.exchange import Exchange
from bff.sessions.store import Sessions
from bff.settings.actions import retailers_of
from bff.stores.shared_cache import SharedCache
from bff.vendors.okendo.languages import Languages


class Offers(TypedDict):
    languages: Languages
    catalogue: Catalogue
    rendered: RenderedResponses
    members: Members
    rewards: MemberRewards
    activity: MemberActivity
    tiers: MemberTiers
    earning: Earning
    enrolment: Enrolment
    referrals: MemberReferrals
    retailers: LinkedRetailers
    consents: Consents


def offers_on(base: Foundation, vendors: Vendors, sessions: Sessions, exchange: Exchange, awards: Awards) -> Offers:
    settings, leases, tasks, apply_url = base.settings, base.leases, base.tasks, base.settings.coupon_apply_url
    catalogue = Catalogue(
        vendors.okendo, vendors.languages, SharedCache(base.valkey, base.keys, base.clock), base.clock
    )
    members, consents = Members(exchange=exchange, sessions=sessions), Consents(base.database, base.outbox)
    return {
        "languages": vendors.languages,
        "catalogue": catalogue,
        "rendered": RenderedResponses(),
        "members": members,
        "rewards": MemberRewards(members=members, exchange=exchange, catalogue=catalogue),
        "activity": MemberActivity(
            exchange=exchange, clock=base.clock, apply_url=apply_url, request_seconds=settings.request_seconds
        ),
        "tiers": MemberTiers(members=members, exchange=exchange, catalogue=catalogue),
        "earning": Earning(
            members=members,
            exchange=exchange,
            leases=leases,
            results=EarnedResults(base.valkey, base.keys),
            outbox=base.outbox,
            apply_url=apply_url,
            tasks=tasks,
        ),
        "enrolment": Enrolment(
            members=members,
            exchange=exchange,
            catalogue=catalogue,
            consents=consents,
            leases=leases,
            channel=settings.okendo.partner_id,
            tasks=tasks,
        ),
        "referrals": MemberReferrals(
            okendo=vendors.okendo,
            members=members,
            exchange=exchange,
            leases=leases,
            outbox=base.outbox,
            tasks=tasks,
        ),
        "retailers": LinkedRetailers(
            subtotal=vendors.subtotal,
            awards=awards,
            leases=leases,
            retailer_ids=retailers_of(settings.subtotal.actions),
            currency=settings.shop_currency,
            tasks=tasks,
        ),
        "consents": consents,
    }
