"""How a redemption ended, in the words and codes a shopper and a storefront get."""

from bff.errors import CODES, Code, Problem
from bff.redemptions.ledger import Entry
from bff.schemas.activity import Coupon, apply_url_of
from bff.schemas.money import Money
from bff.schemas.redemption import RedeemedReward, Redemption
from bff.sentences import N_
from bff.vendors.sanitize import with_clean_texts

RETRY_AFTER_SECONDS = 30
# Why a reward that is offered cannot be redeemed now: the state shown with it, and the code that says so.
NOT_READY: dict[str, tuple[Code, str]] = {
    "not_enrolled": ("not_enrolled", N_("Join the program to redeem rewards.")),
    "insufficient_points": ("insufficient_points", N_("You do not have enough points for this reward yet.")),
    "tier_required": ("reward_ineligible", N_("This reward is for members of a higher tier.")),
    "limit_reached": ("reward_ineligible", N_("You have redeemed this reward as often as it allows.")),
    "unavailable": ("reward_unavailable", N_("This reward is not available right now.")),
}
# Why a redemption that was sent, or about to be, came to nothing.
FAILED: dict[Code, str] = {
    "reward_ineligible": N_("This reward is not open to you right now."),
    "reward_unavailable": N_("This reward is not available any more."),
    "currency_mismatch": N_("This reward cannot be redeemed in this currency."),
    "session_expired": N_("Your sign-in had ended."),
    "upstream_unavailable": N_("The loyalty program could not be reached."),
    "upstream_timeout": N_("The loyalty program did not answer."),
    "store_unavailable": N_("It could not be recorded."),
}
NOT_TAKEN = N_("Your points were not taken.")


def shown(entry: Entry, apply_url: str) -> Redemption:
    """The entry as the shopper may see it; `apply_url` has {code} in it."""
    entry, given = with_clean_texts(entry), None
    if entry.coupon_code:
        given = Coupon(
            code=entry.coupon_code,
            apply_url=apply_url_of(entry.coupon_code, apply_url),
            description=entry.coupon_description,
            expires_at=entry.coupon_expires_at,
        )
    return Redemption(
        key=entry.key,
        state="working" if entry.state == "reserved" or entry.state == "sent" else entry.state,
        reward=RedeemedReward(id=entry.reward_id, name=entry.reward_name),
        points=entry.points,
        coupon=given,
        store_credit=Money.of(entry.store_credit, entry.currency),
        support_reference=entry.support_reference,
        reason=entry.reason,
    )


def why_failed(reason: str | None) -> str:
    """The reason in words a shopper can use."""
    return next((words for code, words in FAILED.items() if code == reason), N_("It could not be carried out."))


def problem_with(entry: Entry) -> Problem:
    """The stored reason of a failed redemption, as the problem it was."""
    known: Code = next((code for code in CODES if code == entry.reason), "reward_unavailable")
    # A vendor that is down or busy is worth another try later, under another key.
    seconds = entry.retry_after_seconds or RETRY_AFTER_SECONDS
    is_vendors = known.startswith("upstream_")
    problem = Problem(
        known,
        why_failed(known),
        NOT_TAKEN,
        status=503 if is_vendors else None,
        retry_after_seconds=seconds if is_vendors else None,
    )
    # This key has its answer; only a new one can succeed.
    problem.retryable = False
    return problem
