"""Which rate limits a request counts against, and whom each of them counts."""

from starlette.requests import Request

from bff.members.referrals import mailbox
from bff.sessions.store import Session
from bff.stores.rate_limits import (
    LOCALES,
    READS,
    REDEEM,
    REDEEM_REWARD,
    REFER,
    REFER_ADDRESS,
    REFER_TARGET,
    VISITS,
    RateLimit,
    closed,
    everybody,
)
from bff.web.state import StateT


async def count_request(request: Request[StateT]) -> None:
    """Count every request for a member route against its visitor's limit and against everybody's."""
    session: Session | None = request.scope.get("session")
    total = everybody(request.state["settings"].requests_per_minute)
    own = (READS, session.data.customer_id) if session else (VISITS, address_of(request))
    own_limit, who = own[0], request.state["keys"].hmac("customer index", own[1])
    request.scope["usage"] = await request.state["rate_limiter"].count((own_limit, who), (total, ""))


async def hit_locale(request: Request[StateT]) -> None:
    """Count a question in a language, country or currency that this process has not cached: the vendor may have to be
    asked. What is left is not told, since whoever asks next is answered from the cache with the same bytes (J2)."""
    who = request.state["keys"].hmac("customer index", address_of(request))
    total = everybody(request.state["settings"].requests_per_minute)
    await request.state["rate_limiter"].count((LOCALES, who), (total, ""))


async def hit(request: Request[StateT], limit: RateLimit, *who: str) -> None:
    """Count this request against the limit of whoever this is; raises Problem `rate_limited`, `store_unavailable`."""
    if request.scope["usage"] is None:
        # Valkey has failed this very request: it is not waited for a second time.
        raise closed()
    usage = await request.state["rate_limiter"].hit(limit, request.state["keys"].hmac("customer index", *who))
    request.scope["usage"] += [usage] if usage else []


async def hit_redemption(request: Request[StateT], session: Session, reward_id: str) -> None:
    await hit(request, REDEEM, session.data.customer_id)
    await hit(request, REDEEM_REWARD, session.data.customer_id, reward_id)


async def hit_invitation(request: Request[StateT], session: Session, email: str) -> None:
    await hit(request, REFER, session.data.customer_id)
    await hit(request, REFER_ADDRESS, address_of(request))
    await hit(request, REFER_TARGET, mailbox(email))


def address_of(request: Request[StateT]) -> str:
    return str(request.scope.get("address", ""))
