"""What a refusal of Okendo's means to the shopper, by operation and status."""

from collections.abc import Mapping

from bff.errors import Code, MemberUnknown, Problem, UpstreamFailed, VendorRefused
from bff.sentences import N_
from bff.vendors.okendo.member_operations import MEMBER_OPERATIONS

# What a vendor's refusal means, by operation and status; everything else is our trouble and not the shopper's.
REFUSALS: Mapping[tuple[str, int], tuple[Code, str]] = {
    ("login", 403): ("program_not_launched", N_("The loyalty program is not open yet.")),
    ("customer", 403): ("member_blocked", N_("This account cannot take part in the program.")),
    ("customer_redemption_rules", 403): ("member_blocked", N_("This account cannot take part in the program.")),
    ("customer_activation", 400): ("policies_outdated", N_("The terms have changed. Please read them again.")),
    ("customer_activation", 403): (
        "feature_unavailable",
        N_("Joining is not possible here right now. The shop can help."),
    ),
    ("customer_earning_rules", 403): ("member_blocked", N_("This account cannot take part in the program.")),
    ("trigger", 400): ("rule_already_completed", N_("This was done before, or cannot be done now.")),
    ("trigger", 403): ("feature_unavailable", N_("This way to earn cannot be completed here.")),
    ("trigger", 404): ("not_found", N_("There is no such way to earn.")),
    ("birthday", 400): ("invalid_birthday", N_("Please check the day and the month.")),
    ("birthday", 403): ("not_enrolled", N_("Join the program to add your birthday.")),
    ("birthday", 404): ("feature_unavailable", N_("Birthdays cannot be added here.")),
    ("spend", 403): ("not_enrolled", N_("Join the program to reach its tiers.")),
    ("spend", 404): ("feature_unavailable", N_("This program does not tell how far the next tier is.")),
    ("redeem", 400): ("reward_unavailable", N_("This reward is not available any more.")),
    # The reads just before had a JWT that was taken, so it is no reason to sign anybody out.
    ("redeem", 401): ("upstream_unavailable", N_("The loyalty program did not take this. Please try again.")),
    ("redeem", 403): ("reward_ineligible", N_("This reward is not open to you right now.")),
    ("redeem", 404): ("reward_unavailable", N_("This reward is not available any more.")),
    ("redeem", 422): ("currency_mismatch", N_("This reward cannot be redeemed in this currency.")),
    ("transactions", 400): ("feature_unavailable", N_("Your history cannot be read.")),
    ("transactions", 404): ("feature_unavailable", N_("Your history cannot be read.")),
    ("transactions", 403): ("member_blocked", N_("This account cannot take part in the program.")),
    ("referral_request", 400): (
        "referral_rejected",
        N_("This invitation could not be sent. Please check the address."),
    ),
    ("referral_request", 403): ("not_enrolled", N_("Join the program to invite friends.")),
}

# How Okendo answers for a member who was merged or deleted is not public. A conflict or "gone" says so anywhere; a 404
# may come of a path that we guessed wrong as well, so it says so only where the member themselves are asked for.
UNKNOWN_MEMBER: frozenset[tuple[str, int]] = frozenset(
    {(row.name, status) for row in MEMBER_OPERATIONS if row.method == "GET" for status in (409, 410)}
    | {("login", 409), ("login", 410), ("customer", 404)}
)


def explained(refusal: VendorRefused) -> Problem:
    """What a refusal means to the shopper."""
    return problem_of(refusal.operation, refusal.status)


def is_of_the_jwt(refusal: VendorRefused) -> bool:
    """Whether the call may succeed with a new JWT."""
    return refusal.status == 401 or (refusal.operation, refusal.status) in UNKNOWN_MEMBER


def problem_of(operation: str, status: int) -> Problem:
    """A refusal that no table knows is the vendor's trouble; whether anything was carried out, it does not say."""
    if (operation, status) in UNKNOWN_MEMBER:
        return MemberUnknown()
    if (operation, status) not in REFUSALS:
        return UpstreamFailed(f"It refused {operation} with status {status}.", sent=True)
    code, sentence = REFUSALS[operation, status]
    return Problem(code, sentence)
