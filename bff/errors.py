"""Everything that can go wrong, named once.

Exception
├── Problem                 a sentence, a code and a status that may leave the service
│   ├── Busy                another request holds what this one needs
│   └── UpstreamFailed      a vendor is down, slow or talks nonsense
│       └── UpstreamTimeout     … and did not answer in time
├── VendorRefused           a vendor said a clear no; the caller gives it a meaning
└── SettingsError           the environment is not fit to boot with
"""

from typing import Literal, get_args

Code = Literal[
    "session_required",
    "session_expired",
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
    "upstream_unavailable",
    "upstream_timeout",
    "store_unavailable",
]
CODES: tuple[Code, ...] = get_args(Code)
# 422 and 409 may be shown to a shopper; 400 is the integrator's mistake; 5xx and 429 may be tried again later.
STATUS: dict[Code, int] = {
    "session_required": 401,
    "session_expired": 401,
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
    "upstream_unavailable": 502,
    "upstream_timeout": 504,
    "store_unavailable": 503,
}
RETRYABLE: frozenset[Code] = frozenset(
    {"request_in_progress", "rate_limited", "upstream_unavailable", "upstream_timeout", "store_unavailable"}
)


def title_of(code: Code) -> str:
    """The code in words for people (RFC 9457 §3.1.3)."""
    return code.replace("_", " ").capitalize()


class Problem(Exception):
    """Something a caller may be told: `code` from the closed list, `detail` one plain sentence without secrets.

    `status` is the HTTP status (the code's own unless a finer one fits, such as 413 for `invalid_request`);
    `retry_after_seconds` is sent as Retry-After; `headers` are sent as they are. `retryable` says whether the same
    request may succeed later.
    """

    def __init__(
        self, code: Code, detail: str, *, status: int | None = None, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status or STATUS[code]
        self.retryable = code in RETRYABLE
        self.retry_after_seconds = retry_after_seconds
        self.headers: dict[str, str] = {}
        if retry_after_seconds is not None:
            self.headers["retry-after"] = str(retry_after_seconds)


class Busy(Problem):
    """Somebody else is doing this at the moment (`request_in_progress`)."""

    def __init__(self) -> None:
        super().__init__("request_in_progress", "Another request is doing this already.", retry_after_seconds=2)


class UpstreamFailed(Problem):
    """A vendor could not be reached, broke off, or answered with something that is not its API.

    `why` is for the doctor and for us; a shopper reads `detail`, which is `words` where the caller has better ones.
    `sent` is False only when it is certain that nothing was carried out there; after a `sent` write the outcome
    is unknown and the call must never be repeated.
    """

    code_when_raised: Code = "upstream_unavailable"
    usual_words = "The loyalty program cannot be reached right now. Please try again in a moment."

    def __init__(self, why: str, *, sent: bool, retry_after_seconds: int | None = None, words: str = "") -> None:
        # A vendor that names a time to come back is busy, not broken.
        is_busy = retry_after_seconds is not None
        usual = "The loyalty program is busy right now. Please try again in a moment." if is_busy else self.usual_words
        status = 503 if is_busy else None
        super().__init__(self.code_when_raised, words or usual, status=status, retry_after_seconds=retry_after_seconds)
        self.why = why
        self.sent = sent


class UpstreamTimeout(UpstreamFailed):
    """A vendor did not answer within the call's deadline."""

    code_when_raised: Code = "upstream_timeout"
    usual_words = "The loyalty program takes too long to answer. Please try again in a moment."


class VendorRefused(Exception):
    """A vendor answered with a clear 4xx. Its own words stay in here: they are neither logged nor shown."""

    def __init__(self, operation: str, status: int, vendor_code: str = "", vendor_description: str = "") -> None:
        super().__init__(f"{operation} was refused with status {status}")
        self.operation = operation
        self.status = status
        self.vendor_code = vendor_code
        self.vendor_description = vendor_description


class SettingsError(Exception):
    """A setting is missing, weak or malformed. The message names the setting and the remedy, never the value."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name}: {remedy}")
        self.name = name
