"""The state of the sandbox, in one place, so that a reset is one call."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from bff.sandbox.clock import Clock, TokenBucket
from bff.sandbox.config import Config
from bff.sandbox.control.faults import Faults
from bff.sandbox.okendo.changes import ChangeFeed
from bff.sandbox.okendo.members import Member
from bff.sandbox.okendo.personas import personas
from bff.sandbox.okendo.program import EARNING_RULES, REWARDS, TIERS, Policies
from bff.sandbox.shopify.browser_sessions import BrowserSessions
from bff.sandbox.shopify.grants import Grants
from bff.sandbox.shopify.shelf import CartShelf
from bff.sandbox.shopify.tokens import Signer
from bff.sandbox.subtotal.accounts import Accounts
from bff.sandbox.webhooks.destinations import Destinations
from bff.sandbox.webhooks.outbox import Outbox

CALLS_KEPT = 10_000
# docs.okendo.io/merchant-rest-api: "2 requests per second" with a small burst, whose size nobody published.
MERCHANT_PER_SECOND = 2.0
MERCHANT_BURST = 5
# Okendo publishes no lifetime of its customer tokens.
OKENDO_TOKEN_SECONDS = 3600


@dataclass
class LoggedCall:
    """One call of a vendor operation, as it came in; `status` is None until answered, and stays so when cut."""

    vendor: str
    operation: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    status: int | None = None


class World:
    """The state of all pretended vendors. Keys outlive a reset, so that cached key sets stay right, and so does the
    outbox, because its sender does."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.signer = Signer()
        self.outbox = Outbox()
        self.changes = ChangeFeed(config)
        self.reset()

    def reset(self) -> None:
        """Back to the personas as they were, with no tokens, no faults, no calls, no webhooks and the clock right."""
        self.clock = Clock()
        self.members = personas(self.clock.now())
        self.policies = Policies()
        self.earning_rules = dict(EARNING_RULES)
        self.rewards = dict(REWARDS)
        self.tells_language = False
        self.told_tiers = tuple(tier.name for tier in TIERS)
        self.hostile = False
        self.controls = False
        self.history_reversed = False
        self.circle = 0
        self.dead_end = False
        self.words: dict[str, Any] = {}
        self.denied_fields: tuple[str, ...] = ()
        self.denies_all = False
        self.carts = CartShelf()
        self.dialect: tuple[Any, ...] = ()
        self.grants = Grants(self.clock)
        self.browser_sessions = BrowserSessions()
        self.accounts = Accounts(self.clock)
        self.merchant_bucket = TokenBucket(self.clock, MERCHANT_PER_SECOND, MERCHANT_BURST)
        self.faults = Faults()
        self.calls: deque[LoggedCall] = deque(maxlen=CALLS_KEPT)
        self.destinations = Destinations(self.config)
        self.outbox.clear()
        self.changes.reset(self.members)
        self._okendo_tokens: dict[str, tuple[Member, float]] = {}

    def publish_events(self) -> None:
        """Put what happened since the last time into the outbox; to be called after whatever may change something."""
        now = self.clock.seconds()
        self.outbox.add(self.accounts.new_events(), self.destinations.of_subtotal(), now)
        self.outbox.add(self.changes.new_events(self.members, hostile=self.hostile), self.destinations.of_okendo(), now)
        self.outbox.changed.set()

    def member_by_email(self, email: str) -> Member | None:
        return next((member for member in self.members.values() if member.email == email.lower()), None)

    def member_by_loyalty_id(self, loyalty_id: str) -> Member | None:
        return next((member for member in self.members.values() if member.uuid("loyalty") == loyalty_id), None)

    def okendo_login(self, member: Member) -> str:
        """A new loyalty token for a member, good for an hour of this clock."""
        expires_at = self.clock.seconds() + OKENDO_TOKEN_SECONDS
        token = self.signer.okendo_jwt(
            {
                "sub": member.uuid("loyalty"),
                "subscriberId": self.config.okendo_user_id,
                "iat": int(self.clock.seconds()),
                "exp": int(expires_at),
            }
        )
        self._okendo_tokens[token] = (member, expires_at)
        member.effects.logins += 1
        return token

    def okendo_member(self, token: str) -> Member | None:
        """Whose loyalty token this is, if it is good."""
        member, expires_at = self._okendo_tokens.get(token, (None, 0.0))
        return member if self.clock.seconds() < expires_at else None
