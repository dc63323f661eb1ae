"""How a redemption ended, in the words and codes a shopper and a storefront get."""

from bff.errors import CODES, Code, Problem
from bff.redemptions.ledger import Entry
from bff.schemas.activity import Coupon, apply_url_of
from bff.schemas.base import store_credit
from bff.schemas.redemption import RedeemedReward, Redemption

RETRY_AFTER_SECONDS = 30
# Why a reward that is offered cannot be redeemed now: the state shown with it, and the code that says so.
NOT_READY: dict[str, tuple[Code, str]] = {
    "not_enrolled": ("not_enrolled", "Join the program to redeem rewards."),
    "insufficient_points": ("insufficient_points", "You do not have enough points for this reward yet."),
    "tier_required": ("reward_ineligible", "This reward is for members of a higher tier."),
    "limit_reached": ("reward_ineligible", "You have redeemed this reward as often as it allows."),
    "unavailable": ("reward_unavailable", "This reward is not available right now."),
}
# Why a redemption that was sent, or about to be, came to nothing.
FAILED: dict[Code, str] = {
    "reward_ineligible": "This reward is not open to you right now.",
    "reward_unavailable": "This reward is not available any more.",
    "currency_mismatch": "This reward cannot be redeemed in this currency.",
    "session_expired": "Your sign-in had ended.",
    "upstream_unavailable": "The loyalty program could not be reached.",
    "upstream_timeout": "The loyalty program did not answer.",
    "store_unavailable": "It could not be recorded.",
}


def shown(entry: Entry, apply_url: str) -> Redemption:
    """The entry as the shopper may see it; `apply_url` has {code} in it."""
    given = None
    if entry.coupon_code is not None:
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
        store_credit=store_credit(entry.store_credit, entry.currency),
        support_reference=entry.support_reference,
        reason=entry.reason,
    )


def why_failed(reason: str | None) -> str:
    """The reason in words a shopper can use."""
    return next((words for code, words in FAILED.items() if code == reason), "It could not be carried out.")


def problem_with(entry: Entry) -> Problem:
    """The stored reason of a failed redemption, as the problem it was."""
    known: Code = next((code for code in CODES if code == entry.reason), "reward_unavailable")
    # A vendor that is down or busy is worth another try later, under another key.
    seconds = entry.retry_after_seconds or RETRY_AFTER_SECONDS
    later = {"status": 503, "retry_after_seconds": seconds} if known.startswith("upstream_") else {}
    problem = Problem(known, f"{why_failed(known)} Your points were not taken.", **later)
    # This key has its answer; only a new one can succeed.
    problem.retryable = False
    return problem
