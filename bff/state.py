"""What the lifespan builds once, as every route may use it."""

from collections.abc import Awaitable, Callable
from typing import TypedDict

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from bff.answers import Answers
from bff.assets import Assets
from bff.awards import Awards
from bff.budgets import Budgets
from bff.catalogue import Catalogue
from bff.consents import Consents
from bff.database import Database
from bff.doubts import Doubts
from bff.earning import Earning
from bff.events import Events
from bff.history import History
from bff.inbox import Inbox
from bff.keys import KeyRing
from bff.ledger import Ledger
from bff.linking import Linking
from bff.loyalty import Loyalty
from bff.paying import Paying
from bff.reconciliation import Reconciliation
from bff.redemption import Redemptions
from bff.sessions import Sessions
from bff.settings import Settings
from bff.shopify import Shopify
from bff.tickets import Tickets


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
