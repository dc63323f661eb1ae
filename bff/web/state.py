"""What the lifespan builds once, as every route may use it."""

from collections.abc import Awaitable, Callable
from typing import TypedDict

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from bff.awards.events import Events
from bff.awards.ledger import Awards
from bff.awards.pay import Paying
from bff.members.activity import History
from bff.members.consents import Consents
from bff.members.earning import Earning
from bff.members.member import Loyalty
from bff.members.retailers import Linking
from bff.program.catalogue import Catalogue
from bff.program.rendered import Answers
from bff.redemptions.ledger import Ledger
from bff.redemptions.reconcile import Reconciliation
from bff.redemptions.redeem import Redemptions
from bff.redemptions.unresolved import Doubts
from bff.sessions.store import Sessions
from bff.sessions.tickets import Tickets
from bff.settings.table import Settings
from bff.stores.database import Database
from bff.stores.inbox import Inbox
from bff.stores.keyring import KeyRing
from bff.stores.rate_limits import Budgets
from bff.vendors.shopify.client import Shopify
from bff.web.assets import Assets


class State(TypedDict):
    """What the lifespan builds once and every route may use."""

    settings: Settings
    keys: KeyRing
    sessions: Sessions
    database: Database
    consents: Consents
    ledger: Ledger
    doubts: Doubts
    budgets: Budgets
    shopify: Shopify
    tickets: Tickets
    catalogue: Catalogue
    answers: Answers
    loyalty: Loyalty
    redemptions: Redemptions
    earning: Earning
    history: History
    reconciliation: Reconciliation
    inbox: Inbox
    awards: Awards
    events: Events
    paying: Paying
    linking: Linking
    templates: Environment
    assets: Assets


LoyaltyRequest = Request[State]
Handler = Callable[[LoyaltyRequest], Awaitable[Response]]
