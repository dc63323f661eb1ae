"""Why an ID token was refused: the claim that does not hold, and by how much the clocks differ where it is a time."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import structlog
from joserfc.errors import BadSignatureError, ClaimError, InvalidKeyIdError, UnsupportedAlgorithmError

from bff.errors import Problem

# The claims that are looked at (OpenID Connect Core 1.0 §2), by which a refusal is named.
CLAIMS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "auth_time", "nonce", "amr", "azp", "at_hash"})
TIMES = frozenset({"exp", "nbf", "iat"})
OTHERS: tuple[tuple[type[Exception], str], ...] = (
    (BadSignatureError, "signature"),
    (InvalidKeyIdError, "key"),
    (UnsupportedAlgorithmError, "alg"),
)
# What whoever signs in can bring about; all else is Shopify's doing, a setting's or a clock's, and refuses everybody.
BY_A_VISITOR = frozenset({"callback_issuer", "nonce", "subject"})
# No time is later, and none that is counted in seconds.
LATEST = 10**12
log = structlog.get_logger("shopify")


def unverified(reason: str, **fields: object) -> Problem:
    """Log the reason, with these fields; the shopper is told no more than that."""
    level = logging.WARNING if reason in BY_A_VISITOR else logging.ERROR
    log.log(level, "id_token_refused", reason=reason, **fields)
    return Problem("session_required", "Shopify's answer could not be verified.")


def refused_for(error: Exception, claims: Mapping[str, Any]) -> Problem:
    """The same for what a check has raised; `claims` are those of a token whose signature holds, else none."""
    reason = reason_of(error)
    seconds = seconds_ahead(claims) if reason in TIMES else None
    return unverified(reason, failure=type(error).__name__, **({} if seconds is None else {"seconds_ahead": seconds}))


def reason_of(error: Exception) -> str:
    """The claim, or "signature", "key", "alg", and "form" for what is no such token at all."""
    if isinstance(error, ClaimError):
        return error.claim if error.claim in CLAIMS else "claim"
    return next((name for kind, name in OTHERS if isinstance(error, kind)), "form")


def seconds_ahead(claims: Mapping[str, Any]) -> int | None:
    """How far Shopify's clock is ahead of ours: the token was issued a moment ago. Below 0 ours is ahead."""
    issued_at = claims.get("iat")
    if not isinstance(issued_at, int | float) or not abs(issued_at) < LATEST:
        return None
    return round(issued_at - time.time())
