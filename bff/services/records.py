"""What is kept about people and what was done: the trail, requests of members, deletion in time."""

from typing import TypedDict

from bff.events.deliver import Delivery
from bff.members.consents import Consents
from bff.privacy.forgetting import Forgetting
from bff.privacy.personal_data import PersonalData
from bff.privacy.requests import MemberRequests
from bff.privacy.trail import CustomerTrail
from bff.services.earnings import Earnings
from bff.services.foundation import Foundation
from bff.services.spending import Spending
from bff.services.vendors import receiver_of
from bff.services.visitors import index_on
from bff.sessions.store import Sessions
from bff.stores.audit import Audit
from bff.stores.outbox import Outbox
from bff.stores.retention import Retention, retention_rules


class Records(TypedDict):
    audit: Audit
    customer_trail: CustomerTrail
    forgetting: Forgetting
    personal_data: PersonalData
    member_requests: MemberRequests
    retention: Retention
    outbox: Outbox
    delivery: Delivery


def records_on(
    base: Foundation, sessions: Sessions, consents: Consents, spending: Spending, earnings: Earnings
) -> Records:
    database, audit, inbox = base.database, Audit(base.database), earnings["inbox"]
    trail = CustomerTrail(database=database, audit=audit, keys=base.keys)
    forgetting = Forgetting(
        database=database,
        sessions=sessions,
        ledger=spending["ledger"],
        consents=consents,
        awards=earnings["awards"],
        inbox=inbox,
        audit=audit,
        outbox=base.outbox,
        customer_trail=trail,
    )
    return {
        "audit": audit,
        "customer_trail": trail,
        "forgetting": forgetting,
        "personal_data": PersonalData(database=database, index=index_on(base), trail=trail),
        "member_requests": MemberRequests(database=database, inbox=inbox, forgetting=forgetting, audit=audit),
        "outbox": base.outbox,
        "delivery": Delivery(base.outbox, receiver_of(base.settings, base.upstream, base.clock)),
        "retention": Retention(database, retention_rules(redemption_days=base.settings.redemptions.retention_days)),
    }
