"""The statement: what happened to a member's points, month by month, as a page and as a table to keep."""

import asyncio
import io
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from bff.members.member import Members
from bff.members.partial import or_none
from bff.pages.months import by_month
from bff.redemptions.timeline import Line, MemberTimeline, Timeline
from bff.schemas.member import Member
from bff.sentences import N_
from bff.sessions.store import Session
from bff.web.cursors import read_cursor, sign_cursor
from bff.web.language import words_for
from bff.web.responses import page
from bff.web.spreadsheets import write_rows
from bff.web.state import WebState
from bff.web.visitor import open_session, require_session

COLUMNS = (
    "date", "what", "status", "points", "coupon", "store credit", "currency", "redemption", "reference",
)  # fmt: skip
# Spreadsheets take a file for UTF-8 by this.
BYTE_ORDER_MARK = "\ufeff"
MISSING = N_("Not complete: older lines, or how redemptions ended, could not be read.")


class ActivityPageState(WebState):
    members: Members
    timeline: MemberTimeline


async def activity(request: Request[ActivityPageState]) -> Response:
    session = open_session(request)
    if session is None:
        return page(request, "activity.html", state="anonymous", member=None, timeline=None, months=[], older=None)
    member, timeline = await _member_and_timeline(request, session)
    return page(
        request,
        "activity.html",
        state=member.state if member else None,
        member=member,
        timeline=timeline,
        months=by_month(timeline.lines, lambda line: line.at),
        older=sign_cursor(request, session, "statement", timeline.next),
    )


async def download(request: Request[ActivityPageState]) -> Response:
    """The whole statement as CSV, in the bounds of one request; where that is too little, its last line says so."""
    session = require_session(request)
    _, timeline = await asyncio.gather(
        request.state["members"].state_now(session), request.state["timeline"].whole(session)
    )
    table = io.StringIO(BYTE_ORDER_MARK)
    table.seek(0, io.SEEK_END)
    write_rows(table, [COLUMNS, *_rows(timeline, words_for(request).text(MISSING))], line_end="\r\n")
    name = "activity.csv" if timeline.complete else "activity-not-complete.csv"
    return Response(
        table.getvalue(),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _member_and_timeline(request: Request[ActivityPageState], session: Session) -> tuple[Member | None, Timeline]:
    place = read_cursor(request, session, "statement")
    return await asyncio.gather(
        or_none(request.state["members"].member(session)), request.state["timeline"].page(session, place)
    )


def _rows(timeline: Timeline, missing: str) -> Iterator[tuple[object, ...]]:
    yield from map(_row, timeline.lines)
    if not timeline.complete:
        yield ("", missing, *[""] * (len(COLUMNS) - 2))


def _row(line: Line) -> tuple[object, ...]:
    one, redemption = line.transaction, line.redemption
    what = (one.description or one.kind) if one else redemption.reward.name if redemption else ""
    coupon = (one.coupon if one else None) or (redemption.coupon if redemption else None)
    credit = one.store_credit if one else None
    return (
        line.at.strftime("%Y-%m-%dT%H:%M:%SZ") if line.at else "",
        _without_addresses(what),
        (one.status or "") if one else "",
        one.points if one and one.points is not None else "",
        coupon.code if coupon else "",
        credit.amount if credit else "",
        credit.currency_code if credit else "",
        ("being checked" if line.checking else redemption.state) if redemption else "",
        (redemption.support_reference or "") if redemption else "",
    )


def _without_addresses(words: str) -> str:
    """A vendor's words may name a friend, and a table travels further than a page."""
    return " ".join("…" if "@" in word[1:] else word for word in words.split())
