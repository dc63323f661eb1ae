"""When a session ends: by our own limits, or with the token behind it where nothing can renew that.

What is handed in has no refresh token. Shopify's own access tokens live for an hour, so such a session cannot outlive
that hour by more than the Okendo JWT that was got with it. Of a legacy Storefront token nobody tells how long it lives.
"""

import math

from bff.sessions.data import Limits, SessionData


def ends_at(data: SessionData, limits: Limits) -> float:
    """From when on it is over, however much it is used (Unix seconds)."""
    return min(data.created_at + limits.absolute_seconds, data.ends_by, _token_ends_at(data))


def expires_at(data: SessionData, limits: Limits, now: float) -> float:
    """When it ends at the latest, unless it is used or renewed until then; `now` is when it was last used."""
    return min(ends_at(data, limits), now + limits.idle_seconds)


def is_doubtful(data: SessionData, now: float) -> bool:
    """Whether nothing here tells that it still works: a legacy token behind it, and no JWT."""
    return data.shopify.kind == "storefront" and (data.loyalty is None or data.loyalty.expires_at <= now)


def _token_ends_at(data: SessionData) -> float:
    tokens = data.shopify
    if tokens.refresh_token is not None or tokens.kind == "storefront":
        return math.inf
    return max(tokens.expires_at, data.loyalty.expires_at if data.loyalty else 0.0)
