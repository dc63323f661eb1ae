"""Who comes: sessions, and signing in and out."""

from typing import TypedDict

from bff.services.foundation import Foundation
from bff.services.vendors import Vendors
from bff.sessions.data import Limits
from bff.sessions.exchange import Exchange
from bff.sessions.handles import Handles
from bff.sessions.index import SessionIndex
from bff.sessions.logins import PendingLogins
from bff.sessions.signin import SignIn
from bff.sessions.signouts import SignOuts
from bff.sessions.store import Sessions
from bff.sessions.tickets import Tickets

# After as long as so many vendor calls can take, whoever refreshes a session's tokens is taken for dead.
CALLS_PER_REFRESH = 6


class Visitors(TypedDict):
    sessions: Sessions
    handles: Handles
    sign_in: SignIn
    sign_outs: SignOuts
    logins: PendingLogins
    tickets: Tickets


def exchange_on(base: Foundation, vendors: Vendors, sessions: Sessions) -> Exchange:
    return Exchange(
        okendo=vendors.okendo,
        shopify=vendors.shopify,
        sessions=sessions,
        leases=base.leases,
        tasks=base.tasks,
        refresh_seconds=CALLS_PER_REFRESH * base.settings.upstream_timeout_seconds,
    )


def index_on(base: Foundation) -> SessionIndex:
    return SessionIndex(base.valkey, base.keys, seconds=base.settings.sessions.absolute_seconds)


def sessions_on(base: Foundation) -> Sessions:
    of_sessions = base.settings.sessions
    limits = Limits(
        idle_seconds=of_sessions.idle_seconds,
        absolute_seconds=of_sessions.absolute_seconds,
        per_customer=of_sessions.per_customer,
    )
    return Sessions(base.valkey, base.keys, limits, base.clock)


def visitors_on(base: Foundation, vendors: Vendors, sessions: Sessions, exchange: Exchange) -> Visitors:
    handles = Handles(base.valkey, base.keys, sessions, index_on(base))
    sign_outs = SignOuts(base.valkey, base.keys)
    return {
        "sessions": sessions,
        "handles": handles,
        "sign_in": SignIn(
            sessions=sessions,
            exchange=exchange,
            handles=handles,
            shopify=vendors.shopify,
            sign_outs=sign_outs,
            outbox=base.outbox,
            tasks=base.tasks,
        ),
        "sign_outs": sign_outs,
        "logins": PendingLogins(base.valkey, base.keys),
        "tickets": Tickets(base.valkey, base.keys),
    }
