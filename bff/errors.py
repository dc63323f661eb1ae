"""Everything that can go wrong, named once.

Exception
├── Problem                 a sentence, a code and a status that may leave the service
│   ├── MemberUnknown       Okendo does not know the member, who was merged or deleted
│   ├── Busy                another request holds what this one needs
│   ├── Overloaded          there are more requests than this process can do
│   └── UpstreamFailed      a vendor is down, slow or talks nonsense
│       ├── UpstreamTimeout     … and did not answer in time
│       └── Unreadable          … and answered something else than we expect
├── VendorRefused           a vendor said a clear no; the caller gives it a meaning
├── CommandFailed           a command could not do what it is for
└── SettingsError           the environment is not fit to boot with
"""

from collections.abc import Mapping
from typing import Literal, get_args

from bff.sentences import N_

Code = Literal[
    "session_required",
    "session_expired",
    "token_rejected",
    "not_enrolled",
    "member_blocked",
    "program_not_launched",
    "feature_unavailable",
    "not_found",
    "policies_outdated",
    "rule_already_completed",
    "request_in_progress",
    "insufficient_points",
    "reward_ineligible",
    "reward_unavailable",
    "currency_mismatch",
    "invalid_birthday",
    "invalid_email",
    "referral_rejected",
    "idempotency_key_missing",
    "idempotency_key_reused",
    "invalid_request",
    "csrf_refused",
    "rate_limited",
    "internal_error",
    "upstream_unavailable",
    "upstream_timeout",
    "store_unavailable",
    "overloaded",
]
CODES: tuple[Code, ...] = get_args(Code)
# 422 and 409 may be shown to a shopper; 400 is the integrator's mistake; 5xx and 429 may be tried again later.
STATUS: dict[Code, int] = {
    "session_required": 401,
    "session_expired": 401,
    "token_rejected": 401,
    "not_enrolled": 403,
    "member_blocked": 403,
    "program_not_launched": 403,
    "feature_unavailable": 404,
    "not_found": 404,
    "policies_outdated": 409,
    "rule_already_completed": 409,
    "request_in_progress": 409,
    "insufficient_points": 422,
    "reward_ineligible": 422,
    "reward_unavailable": 422,
    "currency_mismatch": 422,
    "invalid_birthday": 422,
    "invalid_email": 422,
    "referral_rejected": 422,
    "idempotency_key_missing": 400,
    "idempotency_key_reused": 422,
    "invalid_request": 400,
    "csrf_refused": 403,
    "rate_limited": 429,
    "internal_error": 500,
    "upstream_unavailable": 502,
    "upstream_timeout": 504,
    "store_unavailable": 503,
    "overloaded": 503,
}
RETRYABLE: frozenset[Code] = frozenset(
    {
        "request_in_progress",
        "rate_limited",
        "internal_error",
        "upstream_unavailable",
        "upstream_timeout",
        "store_unavailable",
        "overloaded",
    }
)

# Each code in words for people (RFC 9457 §3.1.3).
TITLES: dict[Code, str] = {
    "session_required": N_("Session required"),
    "session_expired": N_("Session expired"),
    "token_rejected": N_("Token rejected"),
    "not_enrolled": N_("Not enrolled"),
    "member_blocked": N_("Member blocked"),
    "program_not_launched": N_("Program not launched"),
    "feature_unavailable": N_("Feature unavailable"),
    "not_found": N_("Not found"),
    "policies_outdated": N_("Policies outdated"),
    "rule_already_completed": N_("Rule already completed"),
    "request_in_progress": N_("Request in progress"),
    "insufficient_points": N_("Insufficient points"),
    "reward_ineligible": N_("Reward ineligible"),
    "reward_unavailable": N_("Reward unavailable"),
    "currency_mismatch": N_("Currency mismatch"),
    "invalid_birthday": N_("Invalid birthday"),
    "invalid_email": N_("Invalid email"),
    "referral_rejected": N_("Referral rejected"),
    "idempotency_key_missing": N_("Idempotency key missing"),
    "idempotency_key_reused": N_("Idempotency key reused"),
    "invalid_request": N_("Invalid request"),
    "csrf_refused": N_("Csrf refused"),
    "rate_limited": N_("Rate limited"),
    "internal_error": N_("Internal error"),
    "upstream_unavailable": N_("Upstream unavailable"),
    "upstream_timeout": N_("Upstream timeout"),
    "store_unavailable": N_("Store unavailable"),
    "overloaded": N_("Overloaded"),
}

# What a store could not do at that moment.
STORE_FAILS: frozenset[Code] = frozenset({"store_unavailable", "overloaded"})


class Problem(Exception):
    """Something a caller may be told: `code` from the closed list, `detail` one plain sentence without secrets.

    `detail` is in English; to be shown in another language it is translated by its `sentences`, which may have places
    for `values`, written %(name)s.
    `status` is the HTTP status (the code's own unless a finer one fits, such as 413 for `invalid_request`);
    `retry_after_seconds` is sent as Retry-After; `headers` are sent as they are. `retryable` says whether the same
    request may succeed later.
    """

    def __init__(
        self,
        code: Code,
        *sentences: str,
        values: Mapping[str, object] | None = None,
        status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        self.sentences, self.values = sentences, values or {}
        self.detail = " ".join(sentence % values if values else sentence for sentence in sentences)
        super().__init__(self.detail)
        self.code = code
        self.status = status or STATUS[code]
        self.retryable = code in RETRYABLE
        self.retry_after_seconds = retry_after_seconds
        self.headers: dict[str, str] = {}
        if retry_after_seconds is not None:
            self.headers["retry-after"] = str(retry_after_seconds)


class Busy(Problem):
    """Somebody else is doing this at the moment (`request_in_progress`)."""

    def __init__(self) -> None:
        super().__init__("request_in_progress", N_("Another request is doing this already."), retry_after_seconds=2)


class Overloaded(Problem):
    """More is asked of this process than it can do now (`overloaded`); nothing is broken."""

    def __init__(self) -> None:
        sentence = N_("Too many people are here at once. Please try again.")
        super().__init__("overloaded", sentence, retry_after_seconds=2)


class MemberUnknown(Problem):
    """Okendo does not know the member any more: they were merged into another one, or deleted (`not_found`).

    Another try does not help, a new sign-in may.
    """

    def __init__(self) -> None:
        sentence = N_("The loyalty program does not know this account any more. Sign in again, or ask the shop.")
        super().__init__("not_found", sentence)


class UpstreamFailed(Problem):
    """A vendor could not be reached, broke off, or answered with something that is not its API.

    `why` is for the doctor and for us; a shopper reads `detail`, which is `words` where the caller has better ones.
    `sent` is False only when it is certain that nothing was carried out there; after a `sent` write the outcome
    is unknown and the call must never be repeated.
    """

    code_when_raised: Code = "upstream_unavailable"
    usual_words = N_("The loyalty program cannot be reached right now. Please try again.")

    def __init__(self, why: str, *, sent: bool, retry_after_seconds: int | None = None, words: str = "") -> None:
        # A vendor that names a time to come back is busy, not broken.
        is_busy = retry_after_seconds is not None
        busy = N_("The loyalty program is busy right now. Please try again.")
        usual = busy if is_busy else self.usual_words
        status = 503 if is_busy else None
        super().__init__(self.code_when_raised, words or usual, status=status, retry_after_seconds=retry_after_seconds)
        self.why = why
        self.sent = sent


class UpstreamTimeout(UpstreamFailed):
    """A vendor did not answer within the call's deadline."""

    code_when_raised: Code = "upstream_timeout"
    usual_words = N_("The loyalty program takes too long to answer. Please try again.")


class Unreadable(UpstreamFailed):
    """A vendor's API answered something else than we expect of it: how we call it, or read it, may be wrong."""


class VendorRefused(Exception):
    """A vendor answered with a clear 4xx. Its own words stay in here: they are neither logged nor shown.

    `by_page` says that a web page came, which no API sends: something in front of the vendor may have answered.
    """

    def __init__(
        self,
        operation: str,
        status: int,
        vendor_code: str = "",
        vendor_description: str = "",
        *,
        by_page: bool = False,
    ) -> None:
        super().__init__(f"{operation} was refused with status {status}")
        self.operation = operation
        self.status = status
        self.vendor_code = vendor_code
        self.vendor_description = vendor_description
        self.by_page = by_page


class SettingsError(Exception):
    """A setting is missing, weak or malformed. The message names the setting and the remedy, never the value."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name}: {remedy}")
        self.name = name


class CommandFailed(Exception):
    """A command could not do what it is for. The message is one line for whoever called it, without secrets."""
