"""What the operations of the OpenAPI document share: parameters, headers, problems, and the introduction."""

from typing import Any, Literal, NamedTuple

import msgspec

from bff.api.endpoint import Who
from bff.api.me import PARTS
from bff.errors import Code

JsonSchema = dict[str, Any]
PROBLEM_TYPE = "application/problem+json"


class Meaning(msgspec.Struct, frozen=True):
    """`when` a problem is answered, for a developer, and a sentence such as its `detail` may hold."""

    when: str
    detail: str


ABOUT = """\
What storefront JavaScript needs of the loyalty program. No token ever reaches the browser: the session is a cookie that
scripts cannot read, so send every request with `credentials: "include"`, from an allowed origin.

* **Writing** takes the header `X-Loyalty-Csrf: 1` and, with a body, `Content-Type: application/json`. A body has
  at most 16 KiB and exactly the documented fields.
* **Problems** are RFC 9457 documents with a `code` from a closed list. 409 and 422 may be shown to the shopper, 400 is
  for you. When `retryable` is true, the same request may succeed later: after `Retry-After`, where it is sent.
* **Values**: points are whole numbers, times are ISO 8601 in UTC, and a field that does not apply is left out. New
  fields may appear in answers; ignore those that you do not know.
* **Unknown query parameters** are refused, and so is one that is sent twice.
"""
TAGS: dict[Who, tuple[str, str]] = {
    "anyone": ("Program", "The same for everybody, and cacheable: no cookie is read."),
    "visitor": ("Session", "Who is looking, signing in with a token, and signing out."),
    "member": ("Member", "What the shopper has and may do. Needs the session cookie."),
    "server": ("Server", "For the storefront's server, never for a page: a bearer token instead of a cookie."),
}


def string_schema(pattern: str, example: str) -> JsonSchema:
    return {"type": "string", "pattern": pattern, "examples": [example]}


KEY = string_schema("^[A-Za-z0-9_-]{16,64}$", "0b6c2f9e-3d51-4c0e-8a27-5e9f1d7c4b83")
QUERY_PARAMETERS: dict[str, JsonSchema] = {
    "locale": {
        "description": "Language, with a region if need be",
        "schema": string_schema("^[a-z]{2}(-[A-Za-z]{2})?$", "en"),
    },
    "country": {"description": "Country (ISO 3166-1)", "schema": string_schema("^[A-Za-z]{2}$", "us")},
    "currency": {"description": "Currency (ISO 4217)", "schema": string_schema("^[A-Za-z]{3}$", "USD")},
    "include": {
        "description": "Parts to add, each at most once, separated by commas",
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "uniqueItems": True,
            "minItems": 1,
            "items": {"enum": list(PARTS)},
            "examples": [["rewards", "coupons"]],
        },
    },
    "limit": {
        "description": "At most so many",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25, "examples": [10]},
    },
    "cursor": {
        "description": "`next` of the page before, unchanged; left out for the first page",
        "schema": {"type": "string", "minLength": 1},
    },
}
PATH_PARAMETERS: dict[str, JsonSchema] = {
    "id": {
        "description": "`id` of one of the list",
        "schema": {"type": "string", "minLength": 1},
    },
    "key": {
        "description": "The `Idempotency-Key` it was redeemed under",
        "schema": KEY,
    },
}
REQUEST_HEADERS: dict[str, JsonSchema] = {
    "X-Loyalty-Csrf": {
        "description": "Shows that a script of an allowed origin is asking",
        "required": True,
        "schema": {"type": "string", "const": "1"},
    },
    "Idempotency-Key": {
        "description": "One for each intent, kept until there is a final answer: a retry with it is safe",
        "required": True,
        "schema": KEY,
    },
    "If-None-Match": {
        "description": "`ETag` of the copy you have; 304 says that it is still good",
        "required": False,
        "schema": {"type": "string"},
    },
}
RESPONSE_HEADERS: dict[str, JsonSchema] = {
    "Age": {
        "description": "Seconds since the program was asked for what this says",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Allow": {"description": "The methods of this address", "required": True, "schema": {"type": "string"}},
    "Cache-Control": {
        "description": "How long, and by whom, the answer may be kept",
        "required": True,
        "schema": {"type": "string"},
    },
    "Cache-Status": {
        "description": "Seconds until this is stale; below zero, with `detail=stale`, when it is",
        "required": True,
        "schema": {"type": "string", "examples": ["loyalty; hit; ttl=42"]},
    },
    "Content-Language": {
        "description": "The language that was asked for, else `DEFAULT_LANGUAGE` if it is set",
        "required": False,
        "schema": {"type": "string"},
    },
    "ETag": {"description": "Names this content, for `If-None-Match`", "required": True, "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "Sent when this is the stored answer to an earlier request with the same key",
        "schema": {"const": "true"},
    },
    "Location": {"description": "Where the outcome will be", "required": True, "schema": {"type": "string"}},
    "RateLimit": {
        "description": "What is left within your rate limits, and the seconds until one that is reached starts anew",
        "schema": {"type": "string", "examples": ['"reads";r=598, "redeem";r=89']},
    },
    "RateLimit-Policy": {
        "description": "How often in how many seconds this is possible",
        "schema": {"type": "string", "examples": ['"reads";q=600;w=60, "redeem";q=90;w=60']},
    },
    "Retry-After": {"description": "Seconds to wait before the next try", "schema": {"type": "integer", "minimum": 1}},
    "Server-Timing": {
        "description": "Milliseconds spent on what (W3C Server Timing)",
        "required": True,
        "schema": {"type": "string", "examples": ['vendor;dur=51.2;desc="1 calls", total;dur=54.0']},
    },
    "Set-Cookie": {
        "description": "The session, or the end of it; browsers keep it to themselves",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "Sent when the bearer token is what is wrong",
        "schema": {"type": "string", "const": "Bearer"},
    },
    "X-Request-Id": {
        "description": "Quote it when you ask about this answer",
        "required": True,
        "schema": {"type": "string"},
    },
}
# What is sent with a status, whatever the operation.
HEADERS_OF_STATUS: dict[int, tuple[str, ...]] = {
    405: ("Allow",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    502: ("Retry-After",),
    503: ("Retry-After",),
}


class GeneralProblem(NamedTuple):
    """What operations refuse under another status than the code's own: all of them, those that write, or those that
    ask a vendor."""

    status: int
    code: Code
    meaning: Meaning
    operations: Literal["all", "write", "vendor"]


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
        500,
        "upstream_unavailable",
        Meaning("A defect of this service.", "Something went wrong on our side."),
        "all",
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
        "Nobody is signed in, Shopify does not know the customer's token, or the server's own is wrong "
        "(`WWW-Authenticate` is sent).",
        "Please sign in first.",
    ),
    "session_expired": Meaning(
        "The session has ended; sign in again.", "Your session has ended. Please sign in again."
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
    "rate_limited": Meaning("The rate limit is reached.", "That was a little too often. Please wait a moment."),
    "upstream_unavailable": Meaning(
        "A vendor is down, busy, or talks nonsense.", "The loyalty program cannot be reached right now."
    ),
    "upstream_timeout": Meaning("A vendor did not answer in time.", "This took too long. Please try again."),
    "store_unavailable": Meaning(
        "One of our stores is away; nobody was signed out.", "This is not possible right now."
    ),
}


def meaning_of(code: Code, status: int) -> Meaning:
    return next((one.meaning for one in GENERAL_PROBLEMS if (one.code, one.status) == (code, status)), PROBLEMS[code])
