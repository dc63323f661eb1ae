"""What a refusal of Okendo's means to the shopper, by operation and status."""

from collections.abc import Mapping

from bff.errors import Code, Problem, UpstreamFailed, VendorRefused

# What a vendor's refusal means, by operation and status; everything else is our trouble and not the shopper's.
REFUSALS: Mapping[tuple[str, int], tuple[Code, str]] = {
    ("login", 403): ("program_not_launched", "The loyalty program is not open yet."),
    ("customer", 403): ("member_blocked", "This account cannot take part in the program."),
    ("customer_redemption_rules", 403): ("member_blocked", "This account cannot take part in the program."),
    ("customer_activation", 400): ("policies_outdated", "The terms have changed. Please read them again."),
    ("customer_activation", 403): ("feature_unavailable", "Joining is not possible here right now. The shop can help."),
    ("customer_earning_rules", 403): ("member_blocked", "This account cannot take part in the program."),
    ("trigger", 400): ("rule_already_completed", "This was done before, or cannot be done now."),
    ("trigger", 403): ("feature_unavailable", "This way to earn cannot be completed here."),
    ("trigger", 404): ("not_found", "There is no such way to earn."),
    ("birthday", 400): ("invalid_birthday", "Please check the day and the month."),
    ("birthday", 403): ("not_enrolled", "Join the program to add your birthday."),
    ("birthday", 404): ("feature_unavailable", "Birthdays cannot be added here."),
    ("spend", 403): ("not_enrolled", "Join the program to reach its tiers."),
    ("spend", 404): ("feature_unavailable", "This program does not tell how far the next tier is."),
    ("redeem", 400): ("reward_unavailable", "This reward is not available any more."),
    # The reads just before had a JWT that was taken, so it is no reason to sign anybody out.
    ("redeem", 401): ("upstream_unavailable", "The loyalty program did not take this. Please try again."),
    ("redeem", 403): ("reward_ineligible", "This reward is not open to you right now."),
    ("redeem", 404): ("reward_unavailable", "This reward is not available any more."),
    ("redeem", 422): ("currency_mismatch", "This reward cannot be redeemed in this currency."),
    ("transactions", 400): ("feature_unavailable", "Your history cannot be read."),
    ("transactions", 404): ("feature_unavailable", "Your history cannot be read."),
    ("transactions", 403): ("member_blocked", "This account cannot take part in the program."),
    ("referral_request", 400): ("referral_rejected", "This invitation could not be sent. Please check the address."),
    ("referral_request", 403): ("not_enrolled", "Join the program to invite friends."),
}


def explained(refusal: VendorRefused) -> Problem:
    """What a refusal means to the shopper."""
    return problem_of(refusal.operation, refusal.status)


def problem_of(operation: str, status: int) -> Problem:
    """A refusal that the table does not know is the vendor's trouble; that nothing was carried out is certain."""
    if (operation, status) not in REFUSALS:
        return UpstreamFailed(f"It refused {operation} with status {status}.", sent=False)
    code, sentence = REFUSALS[operation, status]
    return Problem(code, sentence)
