"""The ladder of tiers: what each gives, and for a member where they stand and how far it is to the next."""

import asyncio
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from bff.members.member import Members
from bff.members.partial import or_none, or_none_unless_signed_out
from bff.members.tiers import MemberTiers, is_highest, reached
from bff.program.catalogue import Catalogue
from bff.schemas.member import Member, TierProgress
from bff.schemas.program import Perk, Tier
from bff.sessions.store import Session
from bff.vendors.okendo import replies
from bff.web.responses import page
from bff.web.state import WebState
from bff.web.visitor import open_session


class TiersState(WebState):
    catalogue: Catalogue
    members: Members
    tiers: MemberTiers


class Standing(NamedTuple):
    """A member on the ladder. Each is None when it cannot be read, or there is nobody."""

    member: Member | None
    progress: TierProgress | None


async def tiers(request: Request[TiersState]) -> Response:
    session = open_session(request)
    found, standing = await asyncio.gather(
        or_none(request.state["catalogue"].tiers_worded()), _standing(request, session)
    )
    ladder, language = found or (None, None)
    shown = None if ladder is None else [Tier.from_okendo(tier) for tier in ladder]
    member, told = standing
    progress = told or _without_spend(member, ladder)
    return page(
        request,
        "tiers.html",
        state="anonymous" if session is None else member.state if member else None,
        member=member,
        ladder=shown,
        language=language,
        progress=progress,
        is_top=member is not None and is_highest(member.tier, ladder or ()),
        has_reached=reached(member, request.state["clock"]()),
        added=_added(shown or [], progress),
    )


async def _standing(request: Request[TiersState], session: Session | None) -> Standing:
    if session is None:
        return Standing(None, None)
    member, inputs = await asyncio.gather(
        or_none(request.state["members"].member(session)),
        or_none_unless_signed_out(request.state["tiers"].inputs(session)),
    )
    is_on_it = member is not None and member.state == "enrolled"
    return Standing(member, TierProgress.from_okendo(member.tier, *inputs) if member and is_on_it and inputs else None)


def _without_spend(member: Member | None, ladder: list[replies.Tier] | None) -> TierProgress | None:
    """What is still known when nobody tells what a member has spent."""
    if member is None or member.state != "enrolled" or ladder is None:
        return None
    return TierProgress.from_okendo(member.tier, ladder, None)


def _added(ladder: list[Tier], progress: TierProgress | None) -> list[Perk]:
    """What the next tier gives that the member's own does not."""
    following = progress.next_tier if progress else None
    own = next((tier.perks for tier in ladder if progress and tier.name == progress.tier), [])
    gives = next((tier.perks for tier in ladder if following and tier.id == following.id), [])
    return [perk for perk in gives if perk not in own]
