"""When each problem is answered, in words for developers."""

from typing import Literal, NamedTuple

import msgspec

from bff.errors import Code


class Meaning(msgspec.Struct, frozen=True):
    """`when` a problem is answered, for a developer, and a sentence such as its `detail` may hold."""

    when: str
    detail: str


class GeneralProblem(NamedTuple):
    """What operations refuse under another status than the code's own: all of them, those that write, those that ask a
    vendor, or those that begin a session in a browser."""

    status: int
    code: Code
    meaning: Meaning
    operations: Literal["all", "write", "vendor", "sign-in"]


GENERAL_PROBLEMS = (
    GeneralProblem(403, "invalid_request", Meaning("It came over plain http.", "Use https."), "all"),
    GeneralProblem(
        405,
        "invalid_request",
        Meaning("`Allow` lists the methods.", "This address does not take that method."),
        "all",
    ),
    GeneralProblem(
        408,
        "invalid_request",
        Meaning("The body came too slowly.", "The body did not arrive in time."),
        "write",
    ),
    GeneralProblem(
        413, "invalid_request", Meaning("The body has more than 16 KiB.", "The body is too large."), "write"
    ),
    GeneralProblem(
        415,
        "invalid_request",
        Meaning("The body is not JSON.", "Send Content-Type: application/json."),
        "write",
    ),
    GeneralProblem(
        409,
        "csrf_refused",
        Meaning(
            "The ticket is another customer's than the session; sign that one out first, then get a new ticket.",
            "Somebody else is signed in here. Sign them out first.",
        ),
        "sign-in",
    ),
    GeneralProblem(
        503,
        "upstream_unavailable",
        Meaning("A vendor is busy; it says when to come back.", "The loyalty program is busy right now."),
        "vendor",
    ),
)
PROBLEMS: dict[Code, Meaning] = {
    "session_required": Meaning(
        "Nobody is signed in, or the server's bearer token is wrong (`WWW-Authenticate` is sent).",
        "Please sign in first.",
    ),
    "session_expired": Meaning(
        "The session has ended; sign in again.", "Your session has ended. Please sign in again."
    ),
    "token_rejected": Meaning(
        "Shopify does not accept the token that was handed in, or the ticket was used, is too old, or is for another "
        "storefront; get a new one.",
        "Shopify does not accept this token.",
    ),
    "not_enrolled": Meaning("The shopper has not joined yet.", "Join the program to earn points."),
    "member_blocked": Meaning("The merchant has blocked this member.", "This account cannot take part in the program."),
    "program_not_launched": Meaning("The merchant has not opened the program.", "The loyalty program is not open yet."),
    "feature_unavailable": Meaning("This program does not offer that.", "Birthdays cannot be added here."),
    "not_found": Meaning("There is no such thing, or not for this member.", "There is no such reward."),
    "policies_outdated": Meaning(
        "The policies are not those that were shown; show the ones in this answer and ask again.",
        "The terms have changed. Please read them again.",
    ),
    "rule_already_completed": Meaning("It was completed before.", "This was done before, or cannot be done now."),
    "request_in_progress": Meaning(
        "Another request of this member is doing the same; wait, then repeat it with the same key.",
        "This redemption is under way already.",
    ),
    "insufficient_points": Meaning("The balance is too low.", "You do not have enough points for this reward."),
    "reward_ineligible": Meaning("This member's tier does not have it.", "This reward is not open to you right now."),
    "reward_unavailable": Meaning("It is not offered any more.", "This reward is not available any more."),
    "currency_mismatch": Meaning(
        "The reward is in another currency.", "This reward cannot be redeemed in this currency."
    ),
    "invalid_birthday": Meaning("There is no such day in that month.", "Please check the day and the month."),
    "invalid_email": Meaning("This is not an email address.", "Please check the email address."),
    "referral_rejected": Meaning(
        "The invitation was not accepted; it is not said why.",
        "This invitation could not be sent. Please check the address.",
    ),
    "idempotency_key_missing": Meaning(
        "The header is missing.", "Send an Idempotency-Key of 16 to 64 letters, digits, - or _."
    ),
    "idempotency_key_reused": Meaning(
        "The key belongs to another reward; make a new one.", "This Idempotency-Key was used for another reward."
    ),
    "invalid_request": Meaning(
        "The request is not as documented; `detail` says where.", "A query parameter is unknown or was sent twice."
    ),
    "csrf_refused": Meaning(
        "The origin is not allowed, the header `X-Loyalty-Csrf` is missing, or this is no call of a script.",
        "This request did not come from a page that may make it.",
    ),
    "rate_limited": Meaning("The rate limit is reached.", "That was a little too often."),
    "internal_error": Meaning("A defect of this service.", "Something went wrong on our side."),
    "upstream_unavailable": Meaning(
        "A vendor is down, busy, or talks nonsense.", "The loyalty program cannot be reached right now."
    ),
    "upstream_timeout": Meaning("A vendor did not answer in time.", "This took too long. Please try again."),
    "store_unavailable": Meaning(
        "One of our stores is away; nobody was signed out.", "This is not possible right now."
    ),
    "overloaded": Meaning(
        "More is asked of the service at once than it can do, or of one session; try again.",
        "Too many people are here at once. Please try again.",
    ),
}


def meaning_of(code: Code, status: int) -> Meaning:
    return next((one.meaning for one in GENERAL_PROBLEMS if (one.code, one.status) == (code, status)), PROBLEMS[code])
