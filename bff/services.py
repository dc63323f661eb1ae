"""Everything a process needs, built once from its settings and closed in the end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bff.awards.events import Events, Terms
from bff.awards.ledger import Awards
from bff.awards.pay import Merchant, Paying
from bff.clock import Clock
from bff.members.activity import History
from bff.members.consents import Consents
from bff.members.earning import Earning
from bff.members.member import Loyalty, Parts
from bff.members.retailers import Linking
from bff.program.catalogue import Catalogue
from bff.program.rendered import Answers
from bff.redemptions.ledger import Ledger
from bff.redemptions.offline_access import Deputy
from bff.redemptions.reconcile import Reconciliation
from bff.redemptions.redeem import Books, Redemptions
from bff.redemptions.unresolved import Doubts
from bff.sessions.exchange import Exchange
from bff.sessions.store import Limits, Sessions
from bff.sessions.tickets import Tickets
from bff.settings.actions import retailers_of
from bff.settings.table import Settings
from bff.stores.database import Database
from bff.stores.inbox import Inbox
from bff.stores.keyring import KeyRing
from bff.stores.pacer import Pace
from bff.stores.rate_limits import Budgets
from bff.stores.shared_cache import Copies
from bff.stores.valkey import connect
from bff.vendors.okendo.client import Account, Okendo
from bff.vendors.okendo.overrides import rows_with_overrides
from bff.vendors.shopify.client import Shopify
from bff.vendors.shopify.tokens import Client
from bff.vendors.subtotal.client import Retail, SubtotalAccount
from bff.vendors.transport import AioTransport
from bff.vendors.upstream import Upstream
from bff.web import assets
from bff.web.responses import apply_url, make_templates
from bff.web.state import State

HERE = Path(__file__).resolve().parent.parent
DRAIN_SECONDS = 8


@contextlib.asynccontextmanager
async def built(settings: Settings, clock: Clock = time.time) -> AsyncIterator[State]:
    """Everything a request may need, built once; on the way out redemptions under way are brought to their end."""
    keys = KeyRing(settings.secret_keys)
    valkey = connect(
        settings.valkey_url,
        verify_tls=settings.valkey_verify_tls,
        timeout_seconds=settings.valkey_timeout_seconds,
        connections=settings.valkey_connections,
    )
    upstream = Upstream(AioTransport(), clock=clock)
    database = Database(settings.database_url)
    consents = Consents(database)
    ledger = Ledger(database, check_seconds=settings.redemption_check_seconds)
    doubts = Doubts(database, check_seconds=settings.redemption_check_seconds)
    limits = Limits(
        idle_seconds=settings.session_idle_seconds,
        absolute_seconds=settings.session_absolute_seconds,
        per_customer=settings.sessions_per_customer,
    )
    sessions = Sessions(valkey, keys, limits, clock)
    okendo = Okendo(upstream, account_of(settings), rows_with_overrides(settings.okendo_overrides))
    shopify = Shopify(upstream, client_of(settings), clock)
    catalogue = Catalogue(okendo, Copies(valkey, keys, clock), clock)
    exchange = Exchange(okendo, shopify, sessions)
    deputy = Deputy(okendo, sessions, exchange, keys)
    parts = Parts(okendo, shopify, sessions, exchange, consents, catalogue)
    loyalty = Loyalty(parts)
    coupon_url = apply_url(settings)
    retail = retail_of(settings, upstream)
    inbox = Inbox(database, retry_seconds=settings.award_retry_seconds)
    awards = Awards(database, retry_seconds=settings.award_retry_seconds)
    merchant = Merchant(okendo, Pace(database, "okendo merchant", per_second=settings.okendo_merchant_per_second))
    terms = Terms(settings.subtotal_actions, settings.subtotal_simulated_events)
    redemptions = Redemptions(loyalty, parts, Books(ledger, doubts, deputy))
    state: State = {
        "settings": settings,
        "keys": keys,
        "sessions": sessions,
        "database": database,
        "consents": consents,
        "ledger": ledger,
        "doubts": doubts,
        "budgets": Budgets(valkey),
        "shopify": shopify,
        "tickets": Tickets(valkey, keys),
        "catalogue": catalogue,
        "answers": Answers(),
        "loyalty": loyalty,
        "redemptions": redemptions,
        "earning": Earning(loyalty, parts, coupon_url),
        "history": History(loyalty, parts, coupon_url),
        "reconciliation": Reconciliation(doubts, deputy, settling_seconds=settings.redemption_settling_seconds),
        "inbox": inbox,
        "awards": awards,
        "events": Events(inbox, awards, retail, terms),
        "paying": Paying(awards, merchant, retail, settling_seconds=settings.award_settling_seconds),
        "linking": Linking(retail, awards, sessions, retailers_of(settings.subtotal_actions)),
        "templates": make_templates(str(HERE / "templates")),
        "assets": assets.Assets(HERE / "static"),
    }
    await database.open()
    try:
        yield state
    finally:
        await redemptions.finish(DRAIN_SECONDS)
        await asyncio.gather(upstream.aclose(), database.close(), valkey.aclose(close_connection_pool=True))


def account_of(settings: Settings) -> Account:
    return Account(
        api_url=settings.okendo_api_url,
        user_id=settings.okendo_user_id,
        partner_id=settings.okendo_partner_id,
        timeout_seconds=settings.upstream_timeout_seconds,
        api_key=settings.okendo_api_key,
    )


def retail_of(settings: Settings, upstream: Upstream) -> Retail | None:
    """Subtotal's API, None without a key."""
    if settings.subtotal_api_key is None:
        return None
    account = SubtotalAccount(
        api_url=settings.subtotal_api_url,
        link_url=settings.subtotal_link_url,
        link_token_url=settings.subtotal_link_token_url,
        api_key=settings.subtotal_api_key,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
    return Retail(upstream, account)


def client_of(settings: Settings) -> Client:
    return Client(
        shop_url=settings.shopify_shop_url,
        client_id=settings.shopify_client_id,
        client_secret=settings.shopify_client_secret,
        redirect_uri=f"{settings.base_url}/callback",
        origin=settings.origin,
        issuer=settings.shopify_issuer,
        storefront_token=settings.shopify_storefront_token,
        timeout_seconds=settings.upstream_timeout_seconds,
    )
