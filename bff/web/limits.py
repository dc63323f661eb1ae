"""Which rate limits a request counts against, and whom each of them counts."""

from collections.abc import Sequence
from typing import Any

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
    RateLimiter,
    closed,
    everybody,
)
from bff.stores.scripts import Call
from bff.web.state import StateT


class CountedBeside:
    """A member's request is counted in the question that loads their session, where this process has seen by which name
    the member is counted."""

    def __init__(self, request: Request[StateT]) -> None:
        self.key = ""
        self.limits: list[tuple[RateLimit, str]] = []
        self.answers: Sequence[Any] = ()
        self._limiter: RateLimiter = request.state["rate_limiter"]
        self._total = everybody(request.state["settings"].requests_per_minute)

    def calls(self, key: str) -> Sequence[Call]:
        self.key, who = key, self._limiter.names.find(key)
        if who is None:
            return ()
        self.limits = [(READS, who), (self._total, "")]
        return self._limiter.calls(*self.limits)

    def answered(self, answers: Sequence[Any]) -> None:
        self.answers = answers


async def count_request(request: Request[StateT], beside: CountedBeside) -> None:
    """Count every request for a member route against its visitor's limit and against everybody's."""
    session: Session | None = request.scope.get("session")
    limiter = request.state["rate_limiter"]
    if session is None:
        # One that has ended leaves no name behind.
        limiter.names.forget(beside.key)
    elif beside.answers:
        request.scope["usage"] = limiter.counted(beside.limits, beside.answers)
        return
    total = everybody(request.state["settings"].requests_per_minute)
    own = (READS, session.data.customer_id) if session else (VISITS, address_of(request))
    own_limit, who = own[0], request.state["keys"].hmac("customer index", own[1])
    if session is not None:
        limiter.names.learn(session.key, who)
    request.scope["usage"] = await limiter.count((own_limit, who), (total, ""))


async def hit_locale(request: Request[StateT]) -> None:
    """Count a question in a language, country or currency that this process has not cached: the vendor may have to be
    asked. What is left is not told, since whoever asks next is answered from the cache with the same bytes (J2)."""
    who = request.state["keys"].hmac("customer index", address_of(request))
    total = everybody(request.state["settings"].requests_per_minute)
    await request.state["rate_limiter"].count((LOCALES, who), (total, ""))


async def hit(request: Request[StateT], limit: RateLimit, *who: str) -> None:
    """Count this request against the limit of whoever this is; raises Problem `rate_limited`, `store_unavailable`."""
    await _hit(request, (limit, who))


async def hit_redemption(request: Request[StateT], session: Session, reward_id: str) -> None:
    customer_id = session.data.customer_id
    await _hit(request, (REDEEM, (customer_id,)), (REDEEM_REWARD, (customer_id, reward_id)))


async def hit_invitation(request: Request[StateT], session: Session, email: str) -> None:
    await hit(request, REFER, session.data.customer_id)
    await hit(request, REFER_ADDRESS, address_of(request))
    await hit(request, REFER_TARGET, mailbox(email))


async def _hit(request: Request[StateT], *limits: tuple[RateLimit, tuple[str, ...]]) -> None:
    """All of them in one question."""
    if request.scope["usage"] is None:
        # Valkey has failed this very request: it is not waited for a second time.
        raise closed()
    keys, limiter = request.state["keys"], request.state["rate_limiter"]
    request.scope["usage"] += await limiter.hit(*((limit, keys.hmac("customer index", *who)) for limit, who in limits))


def address_of(request: Request[StateT]) -> str:
    return str(request.scope.get("address", ""))
