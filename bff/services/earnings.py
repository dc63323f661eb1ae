"""Points for purchases: what the webhooks bring, and what is paid for it."""

from typing import TypedDict

from bff.awards.events import PurchaseEvents
from bff.awards.ledger import Awards
from bff.awards.pay import AwardPayments
from bff.services.foundation import Foundation
from bff.services.vendors import Vendors
from bff.stores.inbox import Inbox
from bff.stores.pacer import Pacer


class Earnings(TypedDict):
    inbox: Inbox
    awards: Awards
    purchase_events: PurchaseEvents
    award_payments: AwardPayments


def earnings_on(base: Foundation, vendors: Vendors) -> Earnings:
    settings, database = base.settings, base.database
    inbox = Inbox(database, retry_seconds=settings.awards.retry_seconds)
    awards = Awards(database, base.outbox, retry_seconds=settings.awards.retry_seconds)
    return {
        "inbox": inbox,
        "awards": awards,
        "purchase_events": PurchaseEvents(
            inbox=inbox,
            awards=awards,
            subtotal=vendors.subtotal,
            actions=settings.subtotal.actions,
            pays_simulated=settings.subtotal.simulated_events,
        ),
        "award_payments": AwardPayments(
            awards=awards,
            okendo=vendors.okendo,
            pacer=Pacer(database, "okendo merchant", per_second=settings.okendo.merchant_per_second),
            subtotal=vendors.subtotal,
            settling_seconds=settings.awards.settling_seconds,
            clock=base.clock,
        ),
    }
