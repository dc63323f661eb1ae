"""The header fields of a request by their names: Starlette looks through all of them for each one that is asked for."""

from starlette.types import Scope

# What may be there once. Another server might believe the other one.
SINGLETONS = (
    "host", "origin", "content-type", "content-length", "authorization", "idempotency-key", "x-loyalty-csrf",
    "x-loyalty-session",
    "sec-fetch-site", "sec-fetch-dest", "x-forwarded-proto", "x-subtotal-signature", "x-subtotal-timestamp", "svix-id",
    "svix-timestamp", "svix-signature", "webhook-id", "webhook-timestamp", "webhook-signature",
    "x-shopify-hmac-sha256", "x-shopify-topic", "x-shopify-webhook-id",
)  # fmt: skip
# As the server hands them over (ASGI: lower case, bytes), so that one look at a request's headers finds them all.
RAW_SINGLETONS = frozenset(name.encode() for name in SINGLETONS)


def field(scope: Scope, name: bytes) -> str | None:
    """The first field under this name, in lower case; None when there is none.

    They come as the server hands them over (ASGI), in ISO-8859-1 (RFC 9110 §5.5).
    """
    if "fields" not in scope:
        scope["fields"] = dict(reversed(scope["headers"]))
    value: bytes | None = scope["fields"].get(name)
    return None if value is None else value.decode("latin-1")
