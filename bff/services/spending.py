"""Points for rewards: redemptions, and what becomes of those without an answer."""

from typing import TypedDict

from bff.redemptions.carts import CouponCarts
from bff.redemptions.ledger import Ledger
from bff.redemptions.offline_access import OfflineAccess
from bff.redemptions.reconcile import Reconciliation
from bff.redemptions.redeem import Redemptions
from bff.redemptions.timeline import MemberTimeline
from bff.redemptions.unresolved import UnresolvedRedemptions
from bff.redemptions.wallet import MemberWallet
from bff.services.foundation import Foundation
from bff.services.offers import Offers
from bff.services.vendors import Vendors
from bff.sessions.exchange import Exchange
from bff.sessions.store import Sessions


class Spending(TypedDict):
    redemptions: Redemptions
    wallet: MemberWallet
    coupon_carts: CouponCarts
    timeline: MemberTimeline
    ledger: Ledger
    unresolved: UnresolvedRedemptions
    reconciliation: Reconciliation


def spending_on(base: Foundation, vendors: Vendors, sessions: Sessions, exchange: Exchange, offers: Offers) -> Spending:
    settings = base.settings.redemptions
    ledger = Ledger(base.database, base.outbox, check_seconds=settings.check_seconds)
    unresolved = UnresolvedRedemptions(base.database, base.outbox, check_seconds=settings.check_seconds)
    offline_access = OfflineAccess(okendo=vendors.okendo, sessions=sessions, exchange=exchange, keys=base.keys)
    activity, coupon_url = offers["activity"], base.settings.coupon_apply_url
    wallet = MemberWallet(activity=activity, ledger=ledger, clock=base.clock, apply_url=coupon_url)
    return {
        "redemptions": Redemptions(
            rewards=offers["rewards"],
            activity=activity,
            exchange=exchange,
            okendo=vendors.okendo,
            leases=base.leases,
            ledger=ledger,
            unresolved=unresolved,
            offline_access=offline_access,
            clock=base.clock,
            tasks=base.tasks,
        ),
        "wallet": wallet,
        "coupon_carts": CouponCarts(
            carts=vendors.carts,
            wallet=wallet,
            catalogue=offers["catalogue"],
            leases=base.leases,
            outbox=base.outbox,
            tasks=base.tasks,
        ),
        "timeline": MemberTimeline(activity=activity, ledger=ledger, clock=base.clock, apply_url=coupon_url),
        "ledger": ledger,
        "unresolved": unresolved,
        "reconciliation": Reconciliation(
            unresolved=unresolved, offline_access=offline_access, settling_seconds=settings.settling_seconds
        ),
    }
