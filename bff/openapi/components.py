"""What the operations of the OpenAPI document share: parameters, headers, and the introduction."""

from typing import Any

from bff.api.endpoint import Who
from bff.api.me import PARTS

JsonSchema = dict[str, Any]
PROBLEM_TYPE = "application/problem+json"


ABOUT = """\
What storefront JavaScript needs of the loyalty program. No token ever reaches the browser: the session is a cookie that
scripts cannot read, so send what is about a visitor with `credentials: "include"`, from an allowed origin. What is the
same for everybody may be read by every page, and only without credentials: leave them out there.

* **Writing** takes the header `X-Loyalty-Csrf: 1` and, with a body, `Content-Type: application/json`. A body has
  at most 16 KiB and exactly the documented fields.
* **Problems** are RFC 9457 documents with a `code` from a closed list. 409 and 422 may be shown to the shopper, 400 is
  for you. When `retryable` is true, the same request may succeed later: after `Retry-After`, where it is sent.
* **Values**: points are whole numbers, times are ISO 8601 in UTC, and a field that does not apply is left out, never
  null. New fields may appear in answers; ignore those that you do not know.
* **Languages**: `locale` (else `Accept-Language`), `country` and `currency` are passed on wherever the program takes
  them; one that does not exist is refused. `Content-Language` names a language only where all of the answer is in it;
  without it, the words are as the merchant has entered them. `title` and `detail` of problems follow
  `Accept-Language` alone, in the languages that the service speaks; codes never change.
* **Unknown query parameters** are refused, and so is one that is sent twice, unless it is a list.
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
        "description": "Language, with script and region if need be (BCP 47), as Shopify writes it too",
        "schema": string_schema("^[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?$", "en"),
    },
    "country": {"description": "Country (ISO 3166-1)", "schema": string_schema("^[A-Za-z]{2}$", "us")},
    "currency": {"description": "Currency (ISO 4217)", "schema": string_schema("^[A-Za-z]{3}$", "USD")},
    "include": {
        "description": "Parts to add, each at most once; several in one list separated by commas will do as well",
        "style": "form",
        "explode": True,
        "schema": {
            "type": "array",
            "uniqueItems": True,
            "minItems": 1,
            "items": {"enum": list(PARTS)},
            "examples": [["rewards", "coupons"]],
        },
    },
    "cartId": {
        "description": "The shopper's cart, without its `?key=`: that is a secret, and this is an address",
        "schema": string_schema("^gid://shopify/Cart/[A-Za-z0-9_.~%+=:-]{1,200}$", "gid://shopify/Cart/hWN2Jx0qK4"),
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
    "code": {
        "description": "`code` of one of the member's own coupons",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "key": {
        "description": "The `Idempotency-Key` it was redeemed under",
        "schema": KEY,
    },
}
REQUEST_HEADERS: dict[str, JsonSchema] = {
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
        "description": "The language of the words, where it is known: see the introduction",
        "required": False,
        "schema": {"type": "string"},
    },
    "Deprecation": {
        "description": "Since when this endpoint is deprecated (RFC 9745)",
        "required": True,
        "schema": {"type": "string", "examples": ["@1767225600"]},
    },
    "ETag": {"description": "Names this content, for `If-None-Match`", "required": True, "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "Sent when this is the stored answer to an earlier request with the same key",
        "schema": {"const": "true"},
    },
    "Link": {
        "description": "Where to read what to call instead",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the outcome will be; after signing out, where the browser signs out at the shop",
        "schema": {"type": "string"},
    },
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
    "Sunset": {
        "description": "From when on this endpoint may be gone (RFC 8594)",
        "required": True,
        "schema": {"type": "string", "examples": ["Wed, 01 Jul 2026 00:00:00 GMT"]},
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
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    409: ("Retry-After",),
    429: ("Retry-After",),
    502: ("Retry-After",),
    503: ("Retry-After",),
}
