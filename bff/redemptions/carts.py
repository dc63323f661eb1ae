"""Putting a coupon into the shopper's cart, beside the codes that are in it, and whether a reward would fit there.

Shopify takes the whole list of codes in place of the old one. So the cart is read, its codes go back with ours behind
them, one request at a time for each cart, and nothing is sent again without reading anew: docs/cart.md.
"""

import asyncio
import hashlib

import msgspec
import structlog

from bff.errors import Problem, UpstreamFailed
from bff.members.partial import or_none
from bff.program.catalogue import Catalogue
from bff.redemptions.cart_reasons import reason_of
from bff.redemptions.ledger import Entry
from bff.redemptions.wallet import MemberWallet, Ticket
from bff.schemas.cart import CartFit, CartReading, CartResult, missing_to
from bff.schemas.money import Money
from bff.schemas.outbound import coupon_applied
from bff.schemas.program import Reward, Rewards
from bff.sentences import N_
from bff.sessions.store import Session
from bff.stores.leases import Leases
from bff.stores.outbox import Outbox
from bff.tasks import DetachedTasks
from bff.vendors.sanitize import without_controls
from bff.vendors.shopify.carts import MOST_CODES, Cart, Carts, ChangedCart

LEASE_WAIT_SECONDS = 3.0
# So long the answer to a redemption waits for the cart; together with `redeem.ANSWER_SECONDS` it is in time.
CART_SECONDS = 2.5
# What no coupon is that comes from a discount code: it has none, or counts for one product alone.
UNKNOWABLE = frozenset({"store_credit", "product"})
AWAY = N_("The cart cannot be reached right now. Your code stays good.")
log = structlog.get_logger("cart")


class CartRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whose cart it is to go into: `cart_id` holds the cart's key, `buyer` is the shopper's address, if known."""

    cart_id: str
    buyer: str | None = None

    def __repr__(self) -> str:
        return "<CartRequest>"


class CouponCarts:
    """Every method but `after_redemption` raises UpstreamFailed when Shopify fails."""

    def __init__(
        self,
        *,
        carts: Carts,
        wallet: MemberWallet,
        catalogue: Catalogue,
        leases: Leases,
        outbox: Outbox,
        tasks: DetachedTasks,
    ) -> None:
        self._carts = carts
        self._wallet = wallet
        self._catalogue = catalogue
        self._leases = leases
        self._outbox = outbox
        self._tasks = tasks

    @property
    def are_open(self) -> bool:
        """Whether coupons can be put into carts at all: there is a token of the shop's."""
        return self._carts.are_open

    async def apply(self, session: Session, code: str, wanted: CartRequest) -> CartResult:
        """Put a coupon of the member's own wallet into the cart.

        Raises Problem `feature_unavailable` without a token of the shop's, `not_found` for a code that is not theirs,
        `request_in_progress` while the cart is being changed, `store_unavailable`.
        """
        if not self._carts.are_open:
            raise Problem("feature_unavailable", "Coupons are not put into carts here.")
        return await self._put(session, await self._wallet.find(session, code), wanted)

    async def after_redemption(self, session: Session, entry: Entry, wanted: CartRequest) -> CartResult | None:
        """The same for what a redemption has brought; None where that is no code. It never fails: the code is there
        whatever happens to the cart."""
        if entry.state != "succeeded" or not entry.coupon_code:
            return None
        if not self._carts.are_open:
            return CartResult.refused("other")
        task = self._tasks.start(self._put(session, self._wallet.ticket_of(session, entry), wanted))
        await asyncio.wait({task}, timeout=CART_SECONDS)
        error = task.exception() if task.done() else TimeoutError()
        if error is None:
            return task.result()
        if not isinstance(error, Problem | TimeoutError):
            raise error
        log.warning("cart_not_reached", reason=error.code if isinstance(error, Problem) else "deadline")
        return CartResult.refused("other")

    async def fitting(self, rewards: list[Reward], wanted: CartRequest) -> Rewards:
        """The rewards, each with whether it would fit the cart, where that is known. It refuses nothing."""
        try:
            cart = await self._carts.read(wanted.cart_id, wanted.buyer) if self._carts.are_open else None
        except UpstreamFailed:
            return Rewards(rewards, cart=CartReading(state="unreadable"))
        if cart is None:
            return Rewards(rewards, cart=CartReading(state="not_found" if self._carts.are_open else "unreadable"))
        subtotal = Money.of(cart.subtotal, cart.currency)
        return Rewards([_with_fit(reward, subtotal) for reward in rewards], cart=CartReading(state="read"))

    async def _put(self, session: Session, ticket: Ticket, wanted: CartRequest) -> CartResult:
        """It goes on when the shopper leaves, so that a cart is never left without its lease."""
        try:
            return await self._tasks.run(self._put_alone(session, ticket, wanted))
        except UpstreamFailed as failure:
            failure.sentences, failure.detail = (AWAY,), AWAY
            raise

    async def _put_alone(self, session: Session, ticket: Ticket, wanted: CartRequest) -> CartResult:
        # The key is no part of the name: whoever has another one, or none, means the same cart.
        name = hashlib.sha256(wanted.cart_id.partition("?")[0].encode()).hexdigest()
        async with self._leases.lease(f"cart:{name}", wait_seconds=LEASE_WAIT_SECONDS):
            result = await self._put_in_turn(session, ticket, wanted)
        if result.result == "applied":
            self._outbox.record(coupon_applied(session.data.customer_id, ticket.reward_id))
        log.info("cart", state=result.result, reason=result.reason)
        return result

    async def _put_in_turn(self, session: Session, ticket: Ticket, wanted: CartRequest) -> CartResult:
        code = ticket.coupon.code
        cart = await self._carts.read(wanted.cart_id, wanted.buyer)
        if cart is None:
            return CartResult.refused("cart_not_found")
        if cart.customer_id not in {None, session.data.customer_id}:
            return CartResult.refused("wrong_customer")
        if cart.applies(code):
            return CartResult(result="already_applied")
        codes = [*(one.code for one in cart.codes if not one.is_code(code)), code]
        if len(codes) > MOST_CODES:
            return CartResult.refused("other")
        changed = await self._replace(wanted, codes, code)
        return await self._told(ticket, cart, changed)

    async def _replace(self, wanted: CartRequest, codes: list[str], code: str) -> ChangedCart:
        """Send the list once. When the answer is lost the cart itself says whether it arrived."""
        try:
            return await self._carts.replace_codes(wanted.cart_id, codes, wanted.buyer)
        except UpstreamFailed as failure:
            cart = await or_none(self._carts.read(wanted.cart_id, wanted.buyer)) if failure.sent else None
            if cart is None or not cart.has(code):
                raise
            return ChangedCart(cart)

    async def _told(self, ticket: Ticket, before: Cart, changed: ChangedCart) -> CartResult:
        code, cart = ticket.coupon.code, changed.cart
        if cart is None:
            return CartResult.refused("cart_not_found")
        displaced = [
            without_controls(one.code)
            for one in before.codes
            if one.applicable and not one.is_code(code) and not cart.applies(one.code)
        ]
        if cart.applies(code):
            return CartResult(result="applied", displaced=displaced or None)
        reason = reason_of(code, cart, changed.warnings)
        missing = await self._missing(ticket, cart) if reason == "minimum_spend" else None
        return CartResult(result="not_applied", reason=reason, missing=missing, displaced=displaced or None)

    async def _missing(self, ticket: Ticket, cart: Cart) -> Money | None:
        minimum, subtotal = ticket.coupon.minimum_spend, Money.of(cart.subtotal, cart.currency)
        if minimum is None:
            rewards = await or_none(self._catalogue.rewards()) or []
            minimum = next((reward.minimum_spend for reward in rewards if reward.id == ticket.reward_id), None)
        return missing_to(minimum, subtotal) if minimum and subtotal else None


def _with_fit(reward: Reward, subtotal: Money | None) -> Reward:
    if subtotal is None or (reward.value is not None and reward.value.kind in UNKNOWABLE):
        return reward
    return msgspec.structs.replace(reward, fits_cart=CartFit.of(reward.minimum_spend, subtotal))
