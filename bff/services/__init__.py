"""Everything a process needs, built once from its settings and closed in the end."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bff.api.me import MeState
from bff.api.program import ProgramState
from bff.awards.events import PurchaseEvents
from bff.awards.ledger import Awards
from bff.awards.pay import AwardPayments
from bff.clock import Clock
from bff.languages.catalogues import Catalogues
from bff.members.consents import Consents
from bff.pages.activity import ActivityPageState
from bff.pages.birthday import BirthdayState
from bff.pages.coupons import CouponsState
from bff.pages.earn import EarnState
from bff.pages.join import JoinState
from bff.pages.overview import OverviewState
from bff.pages.refer import ReferState
from bff.pages.retailers import RetailersState
from bff.pages.signin import SignInState
from bff.pages.signout import SignOutState
from bff.pages.tickets import TicketState
from bff.pages.tiers import TiersState
from bff.redemptions.ledger import Ledger
from bff.redemptions.reconcile import Reconciliation
from bff.redemptions.unresolved import UnresolvedRedemptions
from bff.services.earnings import earnings_on
from bff.services.foundation import foundation
from bff.services.offers import offers_on
from bff.services.records import Records, records_on
from bff.services.spending import spending_on
from bff.services.vendors import vendors_on
from bff.services.visitors import exchange_on, sessions_on, visitors_on
from bff.settings.settings import Settings
from bff.stores.database import Database
from bff.stores.figures import Figures
from bff.stores.presence import Presence
from bff.stores.rate_limits import RateLimiter
from bff.web.assets import Assets
from bff.webhooks import WebhookState

ROOT = Path(__file__).resolve().parents[2]


class Services(
    OverviewState,
    JoinState,
    CouponsState,
    ActivityPageState,
    EarnState,
    BirthdayState,
    TiersState,
    ReferState,
    RetailersState,
    SignInState,
    SignOutState,
    TicketState,
    MeState,
    ProgramState,
    WebhookState,
    Records,
):
    """What the faces declare that they use, and what the worker, the probes and the commands use besides."""

    database: Database
    figures: Figures
    consents: Consents
    ledger: Ledger
    unresolved: UnresolvedRedemptions
    reconciliation: Reconciliation
    awards: Awards
    purchase_events: PurchaseEvents
    award_payments: AwardPayments
    presence: Presence


@contextlib.asynccontextmanager
async def build(settings: Settings, clock: Clock = time.time, *, is_worker: bool = False) -> AsyncIterator[Services]:
    """Build the services, and on the way out bring to its end what is under way. `clock` gives Unix seconds. Those of
    the worker leave some of its connections to its queue."""
    base = foundation(settings, clock, is_worker=is_worker)
    vendors = vendors_on(base)
    sessions = sessions_on(base)
    exchange = exchange_on(base, vendors, sessions)
    earnings = earnings_on(base, vendors)
    offers = offers_on(base, vendors, sessions, exchange, earnings["awards"])
    spending = spending_on(base, vendors, sessions, exchange, offers)
    services: Services = {
        "settings": settings,
        "clock": clock,
        "keys": base.keys,
        "database": base.database,
        "shopify": vendors.shopify,
        "rate_limiter": RateLimiter(base.valkey),
        "assets": Assets(ROOT / "static", settings),
        "catalogues": Catalogues(settings.locale_dir, settings.copy),
        "figures": Figures(base.database, base.valkey, base.keys, clock),
        "presence": Presence(base.valkey, clock, seconds=settings.sessions.absolute_seconds),
        **visitors_on(base, vendors, sessions, exchange),
        **earnings,
        **offers,
        **spending,
        **records_on(base, sessions, offers["consents"], spending, earnings),
    }
    await base.database.open()
    try:
        yield services
    finally:
        await base.close()
