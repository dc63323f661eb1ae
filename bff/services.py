"""Everything a process needs, built once from its settings and closed in the end."""

import asyncio
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
from bff.members.activity import MemberActivity
from bff.members.consents import Consents
from bff.members.earning import Earning
from bff.members.enrolment import Enrolment
from bff.members.member import Members
from bff.members.referrals import MemberReferrals
from bff.members.retailers import LinkedRetailers
from bff.members.rewards import MemberRewards
from bff.members.tiers import MemberTiers
from bff.pages.join import JoinState
from bff.pages.overview import OverviewState
from bff.pages.refer import ReferState
from bff.pages.retailers import RetailersState
from bff.pages.signin import SignInState
from bff.program.catalogue import Catalogue
from bff.program.rendered import RenderedResponses
from bff.redemptions.ledger import Ledger
from bff.redemptions.offline_access import OfflineAccess
from bff.redemptions.reconcile import Reconciliation
from bff.redemptions.redeem import Redemptions
from bff.redemptions.unresolved import UnresolvedRedemptions
from bff.sessions.exchange import Exchange
from bff.sessions.logins import PendingLogins
from bff.sessions.signin import SignIn
from bff.sessions.store import Limits, Sessions
from bff.sessions.tickets import Tickets
from bff.settings.actions import retailers_of
from bff.settings.settings import Settings
from bff.stores.database import Database
from bff.stores.inbox import Inbox
from bff.stores.keyring import KeyRing
from bff.stores.leases import Leases
from bff.stores.pacer import Pacer
from bff.stores.rate_limits import RateLimiter
from bff.stores.shared_cache import SharedCache
from bff.stores.valkey import connect
from bff.tasks import DetachedTasks
from bff.vendors.okendo.client import OkendoAccount, OkendoClient
from bff.vendors.okendo.overrides import operations_with_overrides
from bff.vendors.shopify.client import ShopifyClient
from bff.vendors.shopify.tokens import ClientRegistration
from bff.vendors.subtotal.client import SubtotalAccount, SubtotalClient
from bff.vendors.transport import AioTransport
from bff.vendors.upstream import Upstream
from bff.web.assets import Assets
from bff.web.responses import apply_url, make_templates
from bff.webhooks import WebhookState

ROOT = Path(__file__).resolve().parent.parent
DRAIN_SECONDS = 8


class Services(OverviewState, JoinState, ReferState, RetailersState, SignInState, MeState, ProgramState, WebhookState):
    """What the faces declare that they use, and what the worker, the probes and the commands use besides."""

    database: Database
    consents: Consents
    ledger: Ledger
    unresolved: UnresolvedRedemptions
    reconciliation: Reconciliation
    awards: Awards
    purchase_events: PurchaseEvents
    award_payments: AwardPayments


@contextlib.asynccontextmanager
async def build(settings: Settings, clock: Clock = time.time) -> AsyncIterator[Services]:
    """Build the services, and on the way out bring to its end what is under way. `clock` gives Unix seconds."""
    keys = KeyRing(settings.secret_keys)
    valkey = connect(
        settings.valkey.url,
        verify_tls=settings.valkey.verify_tls,
        timeout_seconds=settings.valkey.timeout_seconds,
        connections=settings.valkey.connections,
    )
    leases = Leases(valkey, keys)
    tasks = DetachedTasks()
    database = Database(settings.database.url)
    upstream = Upstream(AioTransport(), clock=clock)
    okendo = OkendoClient(upstream, okendo_account(settings), operations_with_overrides(settings.okendo.overrides))
    shopify = ShopifyClient(upstream, shopify_registration(settings), clock)
    subtotal = subtotal_client(settings, upstream)
    coupon_url = apply_url(settings)

    limits = Limits(
        idle_seconds=settings.sessions.idle_seconds,
        absolute_seconds=settings.sessions.absolute_seconds,
        per_customer=settings.sessions.per_customer,
    )
    sessions = Sessions(valkey, keys, limits, clock)
    exchange = Exchange(okendo=okendo, shopify=shopify, sessions=sessions, leases=leases, tasks=tasks)
    catalogue = Catalogue(okendo, SharedCache(valkey, keys, clock), clock)
    members = Members(exchange=exchange, sessions=sessions)
    rewards = MemberRewards(members=members, exchange=exchange, catalogue=catalogue)
    activity = MemberActivity(exchange=exchange, clock=clock, apply_url=coupon_url)
    consents = Consents(database)

    ledger = Ledger(database, check_seconds=settings.redemptions.check_seconds)
    unresolved = UnresolvedRedemptions(database, check_seconds=settings.redemptions.check_seconds)
    offline_access = OfflineAccess(okendo=okendo, sessions=sessions, exchange=exchange, keys=keys)
    redemptions = Redemptions(
        rewards=rewards,
        activity=activity,
        exchange=exchange,
        okendo=okendo,
        leases=leases,
        ledger=ledger,
        unresolved=unresolved,
        offline_access=offline_access,
        clock=clock,
        tasks=tasks,
    )
    inbox = Inbox(database, retry_seconds=settings.awards.retry_seconds)
    awards = Awards(database, retry_seconds=settings.awards.retry_seconds)

    services: Services = {
        "settings": settings,
        "clock": clock,
        "keys": keys,
        "sessions": sessions,
        "sign_in": SignIn(sessions=sessions, exchange=exchange, shopify=shopify, tasks=tasks),
        "rate_limiter": RateLimiter(valkey),
        "templates": make_templates(str(ROOT / "templates")),
        "assets": Assets(ROOT / "static"),
        "shopify": shopify,
        "logins": PendingLogins(valkey, keys),
        "tickets": Tickets(valkey, keys),
        "catalogue": catalogue,
        "rendered": RenderedResponses(),
        "members": members,
        "rewards": rewards,
        "activity": activity,
        "tiers": MemberTiers(members=members, exchange=exchange, catalogue=catalogue),
        "earning": Earning(members=members, exchange=exchange, leases=leases, apply_url=coupon_url, tasks=tasks),
        "enrolment": Enrolment(
            members=members,
            exchange=exchange,
            catalogue=catalogue,
            consents=consents,
            leases=leases,
            channel=settings.okendo.partner_id,
            tasks=tasks,
        ),
        "referrals": MemberReferrals(okendo=okendo, members=members, exchange=exchange, leases=leases, tasks=tasks),
        "retailers": LinkedRetailers(
            subtotal=subtotal,
            awards=awards,
            leases=leases,
            retailer_ids=retailers_of(settings.subtotal.actions),
            tasks=tasks,
        ),
        "redemptions": redemptions,
        "inbox": inbox,
        "database": database,
        "consents": consents,
        "ledger": ledger,
        "unresolved": unresolved,
        "reconciliation": Reconciliation(
            unresolved=unresolved,
            offline_access=offline_access,
            settling_seconds=settings.redemptions.settling_seconds,
        ),
        "awards": awards,
        "purchase_events": PurchaseEvents(
            inbox=inbox,
            awards=awards,
            subtotal=subtotal,
            actions=settings.subtotal.actions,
            pays_simulated=settings.subtotal.simulated_events,
        ),
        "award_payments": AwardPayments(
            awards=awards,
            okendo=okendo,
            pacer=Pacer(database, "okendo merchant", per_second=settings.okendo.merchant_per_second),
            subtotal=subtotal,
            settling_seconds=settings.awards.settling_seconds,
        ),
    }
    await database.open()
    try:
        yield services
    finally:
        await tasks.finish(DRAIN_SECONDS)
        await asyncio.gather(upstream.aclose(), database.close(), valkey.aclose(close_connection_pool=True))


def okendo_account(settings: Settings) -> OkendoAccount:
    return OkendoAccount(
        api_url=settings.okendo.api_url,
        user_id=settings.okendo.user_id,
        partner_id=settings.okendo.partner_id,
        timeout_seconds=settings.upstream_timeout_seconds,
        api_key=settings.okendo.api_key,
    )


def subtotal_client(settings: Settings, upstream: Upstream) -> SubtotalClient | None:
    """Subtotal's API, None without a key."""
    if settings.subtotal.api_key is None:
        return None
    account = SubtotalAccount(
        api_url=settings.subtotal.api_url,
        link_url=settings.subtotal.link_url,
        link_token_url=settings.subtotal.link_token_url,
        api_key=settings.subtotal.api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
    return SubtotalClient(upstream, account)


def shopify_registration(settings: Settings) -> ClientRegistration:
    return ClientRegistration(
        shop_url=settings.shopify.shop_url,
        client_id=settings.shopify.client_id,
        client_secret=settings.shopify.client_secret,
        redirect_uri=f"{settings.base_url}/callback",
        origin=settings.origin,
        issuer=settings.shopify.issuer,
        storefront_token=settings.shopify.storefront_token,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
